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

    /// The digest of `bytes`, its 32 bytes as four numbers.
    public static func digest(of bytes: ArraySlice<UInt8>) -> SIMD4<UInt64> {
        var hash = Crypto.SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
    }
}
