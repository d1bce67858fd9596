import BackupCore
import CMariaDB

/// Turns rows as the client library gives them into CSV records.
struct MySQLRowEncoder {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let hexDigits = Array("0123456789abcdef".utf8)
    private static let utcOffset = Array("+00:00".utf8)

    private let encodings: [MySQLEncoding]

    init(_ encodings: [MySQLEncoding]) { self.encodings = encodings }

    /// HOT PATH: every row of a backup passes here.
    ///
    /// - Throws: `MySQLError` for a text that is no UTF-8.
    @inline(__always)
    mutating func append(
        _ row: MYSQL_ROW, _ lengths: UnsafeMutablePointer<UInt>, to batch: inout RowBatch
    ) throws {
        for column in encodings.indices {
            if column > 0 { batch.bytes.append(Self.comma) }
            guard let value = row[column] else { continue }
            let field = UnsafeRawBufferPointer(start: value, count: Int(lengths[column]))
            switch encodings[column] {
            case .plain: batch.bytes.append(contentsOf: field)
            case .text: try appendText(field, to: &batch.bytes)
            case .binary: Self.appendHex(field, to: &batch.bytes)
            case .bits: Self.appendNumber(field, to: &batch.bytes)
            case .instant: Self.appendInstant(field, to: &batch.bytes)
            }
        }
        batch.bytes.append(CSVDialect.lineEnd)
        batch.ends.append(batch.bytes.count)
    }

    @inline(__always)
    private func appendText(_ field: UnsafeRawBufferPointer, to bytes: inout [UInt8]) throws {
        var (isSpecial, isASCII) = (false, true)
        for byte in field {
            isSpecial =
                isSpecial || byte == Self.quote || byte == Self.comma || byte == 0x0A
                || byte == 0x0D
            isASCII = isASCII && byte < 0x80
        }
        guard isASCII || Self.isText(field) else {
            throw MySQLError(message: "a text holds bytes that are no text in its character set")
        }
        // A lone \. would end the data for readers that follow COPY's old protocol.
        let isEndMark = encodings.count == 1 && field.elementsEqual("\\.".utf8)
        guard isSpecial || field.isEmpty || isEndMark else {
            bytes.append(contentsOf: field)
            return
        }
        bytes.append(Self.quote)
        for byte in field {
            if byte == Self.quote { bytes.append(Self.quote) }
            bytes.append(byte)
        }
        bytes.append(Self.quote)
    }

    private static func isText(_ field: UnsafeRawBufferPointer) -> Bool {
        String(validating: field, as: UTF8.self) != nil
    }

    private static func appendHex(_ field: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(ascii: "x"))
        for byte in field {
            bytes.append(hexDigits[Int(byte >> 4)])
            bytes.append(hexDigits[Int(byte & 15)])
        }
    }

    /// At most eight bytes, which is as long as `BIT` gets.
    private static func appendNumber(_ field: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let number = field.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        bytes.append(contentsOf: "\(number)".utf8)
    }

    /// A zero date is no moment, and gets no offset.
    private static func appendInstant(_ field: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: field)
        if !field.starts(with: "0000-00-00".utf8) { bytes.append(contentsOf: utcOffset) }
    }
}
