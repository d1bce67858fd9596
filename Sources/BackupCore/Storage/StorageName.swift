/// The name of a stored thing: path components joined by `/`.
public struct StorageName: Hashable, Sendable, CustomStringConvertible {
    /// From the outermost folder to the thing itself; never empty.
    public let components: [String]

    /// A name made of `components`.
    ///
    /// - Throws: `BackupError.damaged` for a component that would lead elsewhere: empty, `.`, `..`,
    ///   with a slash or a zero byte. Names come from files that anybody may have written.
    public init(_ components: [String]) throws {
        let isSafe = components.allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
                && !$0.utf8.contains(UInt8(ascii: "/")) && !$0.utf8.contains(0)
        }
        guard !components.isEmpty, isSafe else {
            throw BackupError(.damaged, "not a name in a repository: \(components)")
        }
        self.components = components
    }

    /// Reads components joined by `/`.
    public init(path: String) throws {
        try self.init(path.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    /// The name of something inside this folder.
    public func appending(_ path: String) throws -> StorageName {
        try StorageName(components + StorageName(path: path).components)
    }

    /// Components joined by `/`.
    public var description: String { components.joined(separator: "/") }
    /// The last component.
    public var last: String { components.last ?? "" }
}
