import Packing
import Testing

@Suite struct ZstdTests {
    private static let content = Array("id,name\n1,one\n2,two\n3,three\n".utf8)

    @Test func `frames that follow one another are one stream`() throws {
        let compressor = try ZstdCompressor()
        let pieces: [[UInt8]] = [Self.content, [], [7], Array(repeating: 65, count: 300_000)]
        let stream = try pieces.flatMap { try compressor.frame($0) }
        #expect(try Self.decompressed([stream]) == pieces.flatMap(\.self))
    }

    @Test func `the order of frames is the order of their bytes`() throws {
        let first = try ZstdCompressor().frame([1, 2])
        let second = try ZstdCompressor().frame([3])
        #expect(try Self.decompressed([second + first]) == [3, 1, 2])
    }

    @Test func `a stream can be cut into two pieces anywhere`() throws {
        let compressor = try ZstdCompressor()
        let stream = try compressor.frame(Self.content) + compressor.frame(Self.content)
        for cut in 0...stream.count {
            let found = try Self.decompressed([Array(stream[..<cut]), Array(stream[cut...])])
            #expect(found == Self.content + Self.content, "cut at \(cut)")
        }
    }

    @Test func `a stream can arrive byte by byte`() throws {
        let stream = try ZstdCompressor().frame(Self.content)
        #expect(try Self.decompressed(stream.map { [$0] }) == Self.content)
    }

    @Test func `no bytes at all are an empty stream`() throws {
        #expect(try Self.decompressed([]) == [])
        #expect(try Self.decompressed([[]]) == [])
    }

    @Test func `a stream that is cut off is an error`() throws {
        let stream = try ZstdCompressor().frame(Self.content)
        for count in 1..<stream.count {
            #expect(throws: PackingError.self, "\(count) bytes of \(stream.count)") {
                try Self.decompressed([Array(stream[..<count])])
            }
        }
    }

    @Test func `a second frame that is cut off is an error`() throws {
        let frame = try ZstdCompressor().frame(Self.content)
        for count in 1..<frame.count {
            #expect(throws: PackingError.self, "\(count) bytes of the second frame") {
                try Self.decompressed([frame + Array(frame[..<count])])
            }
        }
    }

    @Test func `a flipped bit never passes for what was written`() throws {
        let stream = try ZstdCompressor().frame(Self.content)
        for index in stream.indices {
            for bit in 0..<8 {
                var damaged = stream
                damaged[index] ^= 1 << bit
                let found = try? Self.decompressed([damaged])
                // A bit that zstd ignores may change; the bytes that come out may not.
                #expect(found == nil || found == Self.content, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func `what is no zstd is an error`() {
        #expect(throws: PackingError.self) { try Self.decompressed([Self.content]) }
    }

    @Test func `a hundred megabytes of zeros come out in bounded pieces`() throws {
        let megabyte = [UInt8](repeating: 0, count: 1 << 20)
        let whole = Array(repeating: megabyte, count: 100).flatMap(\.self)
        let decompressor = try ZstdDecompressor()
        decompressor.feed(try ZstdCompressor().frame(whole))
        var count = 0
        while let piece = try decompressor.next() {
            try #require(piece.count <= 1 << 20)
            try #require(piece.allSatisfy { $0 == 0 })
            count += piece.count
        }
        try decompressor.finish()
        #expect(count == whole.count)
    }

    @Test func `output that ends exactly with a piece is followed by the rest of the stream`()
        throws
    {
        let whole = [UInt8](repeating: 9, count: 1 << 20)
        let stream = try ZstdCompressor().frame(whole)
        for cut in [stream.count - 4, stream.count - 1, stream.count] {
            let found = try Self.decompressed([Array(stream[..<cut]), Array(stream[cut...])])
            #expect(found == whole, "cut at \(cut)")
        }
    }

    private static func decompressed(_ pieces: [[UInt8]]) throws -> [UInt8] {
        let decompressor = try ZstdDecompressor()
        var bytes: [UInt8] = []
        for piece in pieces {
            decompressor.feed(piece)
            while let output = try decompressor.next() { bytes += output }
        }
        try decompressor.finish()
        return bytes
    }
}
