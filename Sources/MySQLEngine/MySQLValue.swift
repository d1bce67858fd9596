/// A value of a row, and how it becomes what a prepared statement takes.
struct MySQLValue {
    /// How it stands in CSV.
    enum Coding {
        case asIs
        /// Pairs of hexadecimal digits.
        case hex
        /// Quotes are doubled.
        case quoted
        /// The number that a BIT is.
        case number
    }

    /// As CSV has it, without quotes around it.
    let content: UnsafeRawBufferPointer
    let coding: Coding

    /// Decodes it; what comes out is never longer.
    ///
    /// - Returns: How many bytes it is.
    @inline(__always)
    func decode(into room: UnsafeMutableRawBufferPointer) -> Int {
        var isSecond = false
        return Self.decode(content, coding, into: room, &isSecond)
    }

    /// Runs `body` with pieces of `size` bytes at most, one after the other: no copy of a large value is held.
    ///
    /// `size`: An even number.
    func decode(inPiecesOf size: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { room.deallocate() }
        var isSecond = false
        for start in stride(from: 0, to: content.count, by: size) {
            let piece = UnsafeRawBufferPointer(
                rebasing: content[start..<min(content.count, start + size)])
            let count = Self.decode(piece, coding, into: room, &isSecond)
            try body(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
    }

    /// `isSecond`: Whether the byte before was the first of two quotes.
    @inline(__always)
    private static func decode(
        _ content: UnsafeRawBufferPointer, _ coding: Coding,
        into room: UnsafeMutableRawBufferPointer, _ isSecond: inout Bool
    ) -> Int {
        var count = 0
        switch coding {
        case .asIs:
            room.copyMemory(from: content)
            count = content.count
        case .hex:
            func value(_ digit: UInt8) -> UInt8 {
                digit > 0x39 ? (digit | 0x20) &- 0x57 : digit &- 0x30
            }
            for offset in stride(from: 0, to: content.count - 1, by: 2) {
                room[count] = value(content[offset]) &* 16 &+ value(content[offset + 1])
                count += 1
            }
        case .quoted:
            for byte in content {
                isSecond = byte == UInt8(ascii: "\"") && !isSecond
                if !isSecond {
                    room[count] = byte
                    count += 1
                }
            }
        case .number:
            // The highest byte first, without zeros in front.
            let number = content.reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 &- 0x30) }
            for shift in stride(from: 56, through: 0, by: -8)
            where number >> shift != 0 || shift == 0 {
                room[count] = UInt8(truncatingIfNeeded: number >> shift)
                count += 1
            }
        }
        return count
    }
}
