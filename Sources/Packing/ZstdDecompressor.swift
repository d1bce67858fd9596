import CZstd

/// Reads a `.zst` stream of any number of frames, piece by piece, in bounded memory.
///
/// Give it a piece with `feed`, then take output with `next` until there is none.
public final class ZstdDecompressor {
    private static let outputBytes = 1 << 20
    /// 8 MB.
    private static let windowLog: Int32 = 23

    private let context: OpaquePointer
    private var input: [UInt8] = []
    private var position = 0
    private var mayHoldMore = false
    private var isInsideFrame = false

    /// - Throws: `PackingError` when memory runs out.
    public init() throws {
        guard let context = ZSTD_createDCtx() else {
            throw PackingError("zstd could not allocate a context")
        }
        // What `ZstdCompressor` writes looks back less far; each reader has a window of its own.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog)
        self.context = context
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Takes the next piece of the stream.
    ///
    /// The one before must have been used up.
    public func feed(_ piece: [UInt8]) {
        precondition(position == input.count)
        input = piece
        position = 0
    }

    /// The next bytes, about a megabyte at most; nil when a new piece is needed.
    ///
    /// - Throws: `PackingError` when the stream is damaged.
    public func next() throws -> [UInt8]? {
        guard position < input.count || mayHoldMore else { return nil }
        let output = try [UInt8](unsafeUninitializedCapacity: Self.outputBytes) { buffer, count in
            var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            repeat {
                try step(&target)
            } while position < input.count && target.pos < target.size
            count = target.pos
        }
        mayHoldMore = output.count == Self.outputBytes
        return output
    }

    /// Says that no more pieces come.
    ///
    /// - Throws: `PackingError` when the stream ends inside a frame.
    public func finish() throws {
        guard !isInsideFrame else { throw PackingError("zstd: the stream is cut off") }
    }

    private func step(_ target: inout ZSTD_outBuffer) throws {
        let before = (position, target.pos)
        let hint = input.withUnsafeBytes { source in
            var piece = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: position)
            defer { position = piece.pos }
            return ZSTD_decompressStream(context, &target, &piece)
        }
        guard ZSTD_isError(hint) == 0 else { throw PackingError.zstd(hint) }
        if before != (position, target.pos) { isInsideFrame = hint != 0 }
    }
}
