/// A password: it can be used, and never prints.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The characters themselves; for the server only.
    public let unsafeText: String

    /// Wraps a password.
    public init(_ text: String) {
        unsafeText = text
    }

    /// Never the characters.
    public var description: String { "••••" }
    /// Never the characters.
    public var debugDescription: String { description }
    /// Never the characters.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
