import CXXHash

/// XXH3-64 of bytes that arrive in pieces, under a seed.
///
/// - SeeAlso: <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
public final class StreamHash {
    private let state: OpaquePointer
    private let seed: UInt64

    /// Starts with no bytes.
    ///
    /// - Throws: `PackingError` when memory runs out.
    public init(seed: UInt64) throws {
        guard let state = XXH3_createState() else {
            throw PackingError("xxhash could not allocate a state")
        }
        self.state = state
        self.seed = seed
        reset()
    }

    deinit {
        XXH3_freeState(state)
    }

    /// Forgets all bytes.
    public func reset() {
        XXH3_64bits_reset_withSeed(state, seed)
    }

    /// Takes the next bytes.
    public func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { _ = XXH3_64bits_update(state, $0.baseAddress, $0.count) }
    }

    /// The hash of everything taken so far.
    public var value: UInt64 { XXH3_64bits_digest(state) }
}
