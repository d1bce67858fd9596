/// Bytes that could not be packed or unpacked.
public struct PackingError: Error, Equatable, CustomStringConvertible {
    /// What happened, in the words of the C library where it has some.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
