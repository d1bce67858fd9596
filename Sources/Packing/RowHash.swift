import CXXHash

/// XXH3-64 under a seed.
///
/// - SeeAlso: <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
public enum RowHash {
    /// The hash of one record's bytes.
    @inline(__always)
    public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
    }
}
