import Packing

/// Reads a row index, block by block.
///
/// What it holds is a cache: whoever finds it damaged reads the rows themselves.
actor RowIndexReader: KeySource {
    nonisolated let hasParts = true
    private let reader: any StorageReader
    private let name: String
    private let digest: String
    private let seed: UInt64
    private let decompressor: ZstdDecompressor
    private var hash = SHA256Stream()
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// A block is of one batch, and no server indexes keys of more than a few thousand bytes, or of what these are packed from.
    private static let limit = 64 << 20

    /// `digest`: The file's SHA-256, as the backup's checksums have it.
    init(_ reader: any StorageReader, name: String, digest: String, seed: UInt64) throws {
        self.reader = reader
        self.name = name
        self.digest = digest
        self.seed = seed
        decompressor = try ZstdDecompressor()
    }

    func next() async throws -> KeyBlock? {
        do {
            guard try await fill(to: RowIndexBlock.headBytes) else {
                guard position == buffer.count else { throw damage("it is cut off") }
                return nil
            }
            let rows = number(at: position)
            let keyBytes = number(at: position + 4)
            let part = number(at: position + 8)
            guard (1...RowIndexBlock.mostRows).contains(rows), keyBytes <= Self.limit else {
                throw damage("a block is too large, or empty")
            }
            var lengths: [Int] = []
            lengths.reserveCapacity(rows)
            var offset = RowIndexBlock.headBytes
            for _ in 0..<rows {
                let (length, width) = try await length(at: offset)
                lengths.append(length)
                offset += width
            }
            guard lengths.reduce(0, &+) == keyBytes else { throw damage("its keys do not add up") }
            guard try await fill(to: offset + keyBytes + rows * 8) else {
                throw damage("it is cut off")
            }
            defer { position += offset + keyBytes + rows * 8 }
            return block(lengths, from: position + offset, keyBytes, part: part)
        } catch let error as PackingError {
            throw damage("\(error)")
        }
    }

    /// HOT PATH: every key of a comparison passes here.
    private func block(
        _ lengths: [Int], from start: Int, _ keyBytes: Int, part: Int
    ) -> KeyBlock {
        var block = KeyBlock()
        block.part = part
        block.keys = Array(buffer[start..<(start + keyBytes)])
        block.digests.reserveCapacity(lengths.count)
        block.hashes.reserveCapacity(lengths.count)
        block.keyEnds.reserveCapacity(lengths.count)
        buffer.withUnsafeBytes { bytes in
            var key = start
            var hash = start + keyBytes
            for length in lengths {
                let end = key + length
                block.digests.append(
                    KeyDigest(UnsafeRawBufferPointer(rebasing: bytes[key..<end]), seed: seed))
                block.keyEnds.append(end - start)
                block.hashes.append(
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: hash, as: UInt64.self))
                )
                (key, hash) = (end, hash + 8)
            }
        }
        return block
    }

    private func number(at offset: Int) -> Int {
        buffer.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
    }

    /// A length in LEB128, and its own.
    private func length(at offset: Int) async throws -> (length: Int, width: Int) {
        var (value, width) = (0, 0)
        while true {
            if position + offset + width >= buffer.count {
                guard try await fill(to: offset + width + 1) else { throw damage("it is cut off") }
            }
            let byte = buffer[position + offset + width]
            guard width < 5 else { throw damage("a key is too long") }
            value |= Int(byte & 0x7F) << (7 * width)
            width += 1
            if byte & 0x80 == 0 { return (value, width) }
        }
    }

    /// Reads until as many bytes as that are there; false at the end.
    private func fill(to count: Int) async throws -> Bool {
        while buffer.count - position < count {
            guard let piece = try await nextPiece() else { return false }
            if position > 0 {
                buffer.removeFirst(position)
                position = 0
            }
            buffer += piece
        }
        return true
    }

    private func nextPiece() async throws -> [UInt8]? {
        if let output = try decompressor.next() { return output }
        guard !isAtEnd else { return nil }
        let piece = try await reader.next()
        guard !piece.isEmpty else {
            isAtEnd = true
            try decompressor.finish()
            guard hash.hexDigest() == digest else { throw damage("its checksum differs") }
            return nil
        }
        hash.update(piece)
        decompressor.feed(piece)
        return try decompressor.next() ?? []
    }

    private func damage(_ what: String) -> BackupError {
        BackupError(.damaged, "\(name) is damaged: \(what)")
    }
}
