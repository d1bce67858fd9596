import BackupCore
import CMariaDB

/// Records as values of `INSERT`.
extension MySQLRowWriter {
    /// The records of `batch` as statements, and those that go by themselves.
    ///
    /// A long row goes as it came, unless its documents need a statement that has room for it.
    /// - Throws: As `lines`.
    func insertions(
        of batch: RowBatch, _ insertion: String, _ limit: MySQLTransfer.Limit
    ) throws -> MySQLInsertions {
        var insertions = MySQLInsertions(insertion, limit)
        try batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for (row, end) in batch.ends.enumerated() {
                let record = start..<(end - 1)
                start = end
                guard record.count > limit.usual else {
                    try insertions.add(row) { try append(bytes, record, to: &$0) }
                    continue
                }
                let holdsDecimals = try holdsDecimals(bytes, record)
                if holdsDecimals, record.count <= limit.most {
                    try insertions.add(row) { try append(bytes, record, to: &$0) }
                } else {
                    insertions.addAlone(row, isRounded: holdsDecimals)
                }
            }
        }
        insertions.close()
        return insertions
    }

    /// A record that goes by a prepared statement of its own.
    struct Lone {
        /// What stands in the statement for each column: a question mark for a value that comes as its parameter, else the value.
        var places: [String] = []
        /// The parameters, nil being NULL.
        var values: [MySQLValue?] = []
        var types: [enum_field_types] = []
    }

    /// Hands over one record of `batch`, its documents as text; its values are valid until `take` returns.
    ///
    /// Among many rows a parameter is of one kind. Here a text of another character set is what it is in this record: text,
    /// or bytes of that set.
    /// - Throws: As `lines`; whatever `take` throws.
    func lone(in batch: RowBatch, row: Int, _ take: (Lone) throws -> Void) throws {
        let record = batch.start(of: row)..<(batch.ends[row] - 1)
        try batch.bytes.withUnsafeBytes { bytes in
            var (lone, offset) = (Lone(), record.lowerBound)
            for (index, column) in columns.enumerated() {
                guard let places = column.places else {
                    let value = try value(in: bytes, &offset, record.upperBound, index, column)
                    let isBytes = column.encoding == .coded && value?.coding == .hex
                    lone.places.append("?")
                    lone.values.append(value)
                    lone.types.append(isBytes ? MYSQL_TYPE_BLOB : column.parameterType)
                    continue
                }
                let field = try field(
                    in: bytes, &offset, record.upperBound, isLast: index == columns.count - 1)
                if field == nil { try checkNull(column) }
                let label = try field.map { try number(places, bytes, $0, column) }
                lone.places.append(label.map { String(decoding: $0, as: UTF8.self) } ?? "NULL")
            }
            try take(lone)
        }
    }

    /// The statement of one record of `batch` without parameters, its documents as text.
    ///
    /// - Throws: As `lines`.
    func insertion(of batch: RowBatch, row: Int, _ insertion: String) throws -> [UInt8] {
        var text = Array(insertion.utf8)
        let record = batch.start(of: row)..<(batch.ends[row] - 1)
        try batch.bytes.withUnsafeBytes { bytes in
            _ = try append(bytes, record, keepsDecimals: false, to: &text)
        }
        return text
    }

    private func holdsDecimals(
        _ bytes: UnsafeRawBufferPointer, _ record: Range<Int>
    ) throws -> Bool {
        guard columns.contains(where: \.holdsDocuments) else { return false }
        var offset = record.lowerBound
        for (index, column) in columns.enumerated() {
            let field = try field(
                in: bytes, &offset, record.upperBound, isLast: index == columns.count - 1)
            if let field, column.holdsDocuments, Self.holdsDecimals(bytes, field) { return true }
        }
        return false
    }

    /// Adds the values of a record.
    ///
    /// - Returns: Whether documents hold numbers that had to be kept.
    private func append(
        _ bytes: UnsafeRawBufferPointer, _ record: Range<Int>, keepsDecimals: Bool = true,
        to text: inout [UInt8]
    ) throws -> Bool {
        var holdsDecimals = false
        text.append(UInt8(ascii: "("))
        var offset = record.lowerBound
        for (index, column) in columns.enumerated() {
            if index > 0 { text.append(Self.comma) }
            let field = try field(
                in: bytes, &offset, record.upperBound, isLast: index == columns.count - 1)
            guard let field else {
                try checkNull(column)
                text += "NULL".utf8
                continue
            }
            if let places = column.places {
                // As a text it would be none in sets with signs of several bytes.
                text += try number(places, bytes, field, column)
            } else if keepsDecimals, column.holdsDocuments, Self.holdsDecimals(bytes, field) {
                try Self.appendDocument(bytes, field, column.encoding, to: &text)
                holdsDecimals = true
            } else {
                try Self.appendForInsert(bytes, field, column.encoding, to: &text)
            }
        }
        text.append(UInt8(ascii: ")"))
        return holdsDecimals
    }

    /// A document: its text, in which numbers that no text holds are replaced.
    private static func appendDocument(
        _ bytes: UnsafeRawBufferPointer, _ field: Field, _ encoding: MySQLEncoding,
        to text: inout [UInt8]
    ) throws {
        text += "JSON_REPLACE(".utf8
        try appendForInsert(bytes, field, encoding, to: &text)
        MySQLDocument.forEachDecimal(in: content(bytes, field)) { decimal in
            text += ",'".utf8
            for byte in decimal.path { appendQuoted(byte, to: &text) }
            text += "',CAST('".utf8
            text += decimal.digits
            text += "' AS \(decimal.type))".utf8
            return true
        }
        text.append(UInt8(ascii: ")"))
    }

    private static func appendForInsert(
        _ bytes: UnsafeRawBufferPointer, _ field: Field, _ encoding: MySQLEncoding,
        to text: inout [UInt8]
    ) throws {
        let content = UnsafeRawBufferPointer(rebasing: bytes[field.range])
        let apostrophe = UInt8(ascii: "'")
        switch encoding {
        case .bits:
            try MySQLValue.requireDigits(content)
            text.append(contentsOf: content)
        case .coded where isBytes(content), .binary:
            try MySQLValue.requireHex(digits(of: content))
            text.append(UInt8(ascii: "x"))
            text.append(apostrophe)
            text.append(contentsOf: content.dropFirst(2))
            text.append(apostrophe)
        case .text where isBytes(content):
            text.append(apostrophe)
            for byte in try decoded(content) { appendQuoted(byte, to: &text) }
            text.append(apostrophe)
        case .plain, .instant, .text, .coded:
            text.append(apostrophe)
            var isSecond = false
            for byte in encoding == .instant ? withoutOffset(content) : content {
                isSecond = byte == quote && !isSecond && field.hasQuotes
                if !isSecond { appendQuoted(byte, to: &text) }
            }
            text.append(apostrophe)
        }
    }

    @inline(__always)
    private static func appendQuoted(_ byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case backslash, UInt8(ascii: "'"):
            text.append(backslash)
            text.append(byte)
        case 0: text += [backslash, UInt8(ascii: "0")]
        default: text.append(byte)
        }
    }
}
