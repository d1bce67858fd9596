import BackupCore
import CMariaDB

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Turns rows as the client library gives them into CSV records.
struct MySQLRowEncoder {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let backslash = UInt8(ascii: "\\")
    private static let hexDigits = StaticString("0123456789abcdef")
    private static let utcOffset = StaticString("+00:00")

    private let encodings: [MySQLEncoding]
    /// The records so far, with room behind them.
    private var bytes: [UInt8]
    private var ends: [Int] = []
    private var used = 0

    init(_ encodings: [MySQLEncoding]) {
        self.encodings = encodings
        bytes = Self.room()
    }

    private static func room() -> [UInt8] {
        Array(repeating: 0, count: RowBatch.targetBytes + RowBatch.targetBytes >> 3)
    }

    var isFull: Bool { used >= RowBatch.targetBytes }

    /// The records since the last batch.
    mutating func takeBatch() -> RowBatch {
        bytes.removeLast(bytes.count - used)
        defer { (bytes, ends, used) = (Self.room(), [], 0) }
        return RowBatch(bytes: bytes, ends: ends)
    }

    /// HOT PATH: every row of a backup passes here.
    @inline(__always)
    mutating func append(_ row: MYSQL_ROW, _ lengths: UnsafeMutablePointer<UInt>) {
        let count = encodings.count
        var most = count
        // Twice as long, in quotes, with an offset: no field is longer.
        for column in 0..<count { most += 2 * Int(lengths[column]) + 20 }
        if bytes.count - used < most {
            bytes.append(contentsOf: repeatElement(0, count: most - (bytes.count - used)))
        }
        let start = used
        let length = bytes.withUnsafeMutableBytes { buffer in
            var writer = Writer(position: buffer.baseAddress.unsafelyUnwrapped + start)
            let first = writer.position
            encodings.withUnsafeBufferPointer { encodings in
                for column in 0..<count {
                    if column > 0 { writer.append(Self.comma) }
                    guard let value = row[column] else { continue }
                    let field = UnsafeRawBufferPointer(start: value, count: Int(lengths[column]))
                    switch encodings[column] {
                    case .plain: writer.append(field)
                    case .text, .coded:
                        Self.appendText(
                            field, isAlone: count == 1, isCoded: encodings[column] == .coded,
                            to: &writer)
                    case .binary: Self.appendHex(field, to: &writer)
                    case .bits: Self.appendNumber(field, to: &writer)
                    case .instant: Self.appendInstant(field, to: &writer)
                    }
                }
            }
            writer.append(CSVDialect.lineEnd)
            return writer.position - first
        }
        used += length
        ends.append(used)
    }

    /// Writes where there is room.
    private struct Writer {
        var position: UnsafeMutableRawPointer

        @inline(__always)
        mutating func append(_ byte: UInt8) {
            position.storeBytes(of: byte, as: UInt8.self)
            position += 1
        }

        @inline(__always)
        mutating func append(_ field: UnsafeRawBufferPointer) {
            guard let start = field.baseAddress else { return }
            memcpy(position, start, field.count)
            position += field.count
        }
    }

    @inline(__always)
    private static func appendText(
        _ field: UnsafeRawBufferPointer, isAlone: Bool, isCoded: Bool, to writer: inout Writer
    ) {
        let (isSpecial, isASCII) = look(at: field)
        let isBytes =
            !isCoded
            && (!isASCII && !isText(field)
                || field.count > 1 && field[0] == backslash && field[1] == UInt8(ascii: "x"))
        guard !isBytes else { return appendHex(field, to: &writer) }
        // A lone \. would end the data for readers that follow COPY's old protocol.
        let isEndMark = isAlone && field.elementsEqual("\\.".utf8)
        guard isSpecial || field.isEmpty || isEndMark else { return writer.append(field) }
        writer.append(quote)
        for byte in field {
            if byte == quote { writer.append(quote) }
            writer.append(byte)
        }
        writer.append(quote)
    }

    /// Whether CSV must quote it, and whether every byte is a character.
    @inline(__always)
    private static func look(
        at field: UnsafeRawBufferPointer
    ) -> (isSpecial: Bool, isASCII: Bool) {
        // Eight bytes at a time: a byte that is zero after the exclusive or is the one looked for.
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        func holds(_ word: UInt64, _ byte: UInt8) -> UInt64 {
            let rest = word ^ (ones &* UInt64(byte))
            return (rest &- ones) & ~rest & highs
        }
        var (special, all, offset) = (UInt64(0), UInt64(0), 0)
        while offset + 8 <= field.count {
            let word = field.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            special |=
                holds(word, quote) | holds(word, comma) | holds(word, 0x0A) | holds(word, 0x0D)
            all |= word
            offset += 8
        }
        var isSpecial = special != 0
        while offset < field.count {
            let byte = field[offset]
            isSpecial =
                isSpecial || byte == quote || byte == comma || byte == 0x0A || byte == 0x0D
            all |= UInt64(byte)
            offset += 1
        }
        return (isSpecial, all & highs == 0)
    }

    private static func isText(_ field: UnsafeRawBufferPointer) -> Bool {
        (try? UTF8Span(validating: field.bindMemory(to: UInt8.self).span)) != nil
    }

    @inline(__always)
    private static func appendHex(_ field: UnsafeRawBufferPointer, to writer: inout Writer) {
        writer.append(backslash)
        writer.append(UInt8(ascii: "x"))
        let digits = hexDigits.utf8Start
        for byte in field {
            writer.append(digits[Int(byte >> 4)])
            writer.append(digits[Int(byte & 15)])
        }
    }

    /// At most eight bytes, which is as long as `BIT` gets.
    private static func appendNumber(_ field: UnsafeRawBufferPointer, to writer: inout Writer) {
        let number = field.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        for byte in "\(number)".utf8 { writer.append(byte) }
    }

    /// A zero date is no moment, and gets no offset.
    @inline(__always)
    private static func appendInstant(_ field: UnsafeRawBufferPointer, to writer: inout Writer) {
        writer.append(field)
        guard !field.starts(with: "0000-00-00".utf8) else { return }
        writer.append(UnsafeRawBufferPointer(start: utcOffset.utf8Start, count: 6))
    }
}
