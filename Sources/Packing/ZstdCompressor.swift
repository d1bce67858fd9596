import CZstd

/// Turns pieces of bytes into zstd frames.
///
/// Frames that follow one another are one valid `.zst` file, so pieces compressed side by side can
/// be appended in any order.
///
/// - SeeAlso: <https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md>
public final class ZstdCompressor {
    /// Level 1: level 3 was twice the work for a larger file on rows of CSV (measured).
    public static let level: Int32 = 1

    private let context: OpaquePointer

    /// - Throws: `PackingError` when memory runs out.
    public init() throws {
        guard let context = ZSTD_createCCtx() else {
            throw PackingError("zstd could not allocate a context")
        }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    /// One whole frame that holds `bytes`.
    ///
    /// - Throws: `PackingError` with zstd's own words.
    public func frame(_ bytes: [UInt8]) throws -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        return try [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let written = bytes.withUnsafeBytes {
                ZSTD_compress2(context, buffer.baseAddress, bound, $0.baseAddress, $0.count)
            }
            guard ZSTD_isError(written) == 0 else { throw PackingError.zstd(written) }
            count = written
        }
    }
}

extension PackingError {
    static func zstd(_ code: Int) -> PackingError {
        PackingError("zstd: \(String(cString: ZSTD_getErrorName(code)))")
    }
}
