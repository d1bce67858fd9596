import Crypto

/// The SHA-256 of bytes that arrive in pieces.
public struct SHA256Stream: Sendable {
    private var hash = Crypto.SHA256()

    /// Starts with no bytes.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    /// The digest of everything taken so far, as 64 lower-case hex digits.
    public func hexDigest() -> String {
        Hex.string(of: hash.finalize())
    }

    /// The digest of `bytes`, as 64 lower-case hex digits.
    public static func hexDigest(of bytes: [UInt8]) -> String {
        var stream = SHA256Stream()
        stream.update(bytes)
        return stream.hexDigest()
    }
}
