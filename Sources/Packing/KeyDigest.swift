import CXXHash

/// XXH3-128 of a key's bytes under a seed: stands for the key where keys by the million are matched.
///
/// Sixteen bytes make it as good as the key itself: among a billion keys two share a digest with a
/// probability of one in 10^20, and a table's fingerprint would tell.
public struct KeyDigest: Hashable, Sendable {
    /// The upper half.
    public let high: UInt64
    /// The lower half.
    public let low: UInt64

    /// Takes a digest apart that was stored.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The digest of one key.
    @inline(__always)
    public init(_ key: UnsafeRawBufferPointer, seed: UInt64) {
        let hash = XXH3_128bits_withSeed(key.baseAddress, key.count, seed)
        high = hash.high64
        low = hash.low64
    }
}
