import BackupCore

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
    /// - Throws: `BackupError.damaged` for what must be digits and is something else.
    @inline(__always)
    func decode(into room: UnsafeMutableRawBufferPointer) throws -> Int {
        var isSecond = false
        return try Self.decode(content, coding, into: room, &isSecond)
    }

    /// Runs `body` with pieces of `size` bytes at most, one after the other: no copy of a large value is held.
    ///
    /// `size`: An even number.
    /// - Throws: As `decode`; whatever `body` throws.
    func decode(inPiecesOf size: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { room.deallocate() }
        var isSecond = false
        for start in stride(from: 0, to: content.count, by: size) {
            let piece = UnsafeRawBufferPointer(
                rebasing: content[start..<min(content.count, start + size)])
            let count = try Self.decode(piece, coding, into: room, &isSecond)
            try body(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
    }

    /// `isSecond`: Whether the byte before was the first of two quotes.
    @inline(__always)
    private static func decode(
        _ content: UnsafeRawBufferPointer, _ coding: Coding,
        into room: UnsafeMutableRawBufferPointer, _ isSecond: inout Bool
    ) throws -> Int {
        var count = 0
        switch coding {
        case .asIs:
            room.copyMemory(from: content)
            count = content.count
        case .hex: count = try decodeHex(content, into: room)
        case .quoted:
            for byte in content {
                isSecond = byte == UInt8(ascii: "\"") && !isSecond
                if !isSecond {
                    room[count] = byte
                    count += 1
                }
            }
        case .number:
            guard !content.isEmpty, content.allSatisfy(isDigit) else { throw notDigits }
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

    // MARK: Digits

    /// HOT PATH: every byte of a binary value passes here.
    @inline(__always)
    private static func decodeHex(
        _ content: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        var all: UInt8 = 0
        for place in 0..<content.count / 2 {
            let (high, low) = (
                number(ofHex: content[2 * place]), number(ofHex: content[2 * place + 1])
            )
            all |= high | low
            room[place] = high &* 16 &+ low
        }
        guard all < 16, content.count.isMultiple(of: 2) else { throw notDigits }
        return content.count / 2
    }

    /// The bytes that pairs of hexadecimal digits are.
    ///
    /// - Throws: `BackupError.damaged` for what is something else.
    static func bytes(ofHex content: UnsafeRawBufferPointer) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: content.count / 2) { room, count in
            count = try decodeHex(content, into: UnsafeMutableRawBufferPointer(room))
        }
    }

    /// More than 15 for what is no digit.
    @inline(__always)
    private static func number(ofHex digit: UInt8) -> UInt8 {
        switch digit {
        case 0x30...0x39: digit &- 0x30
        case 0x41...0x46: digit &- 0x37
        case 0x61...0x66: digit &- 0x57
        default: 0xFF
        }
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// What stands in a statement without quotes must not be another statement.
    static func requireDigits(_ content: UnsafeRawBufferPointer) throws {
        guard !content.isEmpty, content.allSatisfy(isDigit) else { throw notDigits }
    }

    /// The same for hexadecimal digits.
    static func requireHex(_ content: UnsafeRawBufferPointer) throws {
        guard content.allSatisfy({ number(ofHex: $0) < 16 }) else { throw notDigits }
    }

    private static var notDigits: BackupError {
        BackupError(.damaged, "a value that must be bits or bytes is neither")
    }
}
