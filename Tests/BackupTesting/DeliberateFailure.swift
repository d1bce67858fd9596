/// An error that nothing but a test throws.
public struct DeliberateFailure: Error, Equatable, CustomStringConvertible {
    /// What a test wanted to fail.
    public let description: String

    /// Fails on purpose.
    public init(_ description: String = "failed on purpose") {
        self.description = description
    }
}
