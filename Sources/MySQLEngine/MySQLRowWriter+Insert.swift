import BackupCore

/// Records as values of `INSERT`.
extension MySQLRowWriter {
    /// The records of `batch` as statements no longer than `limit` bytes, unless one row is.
    ///
    /// - Throws: As `lines`.
    func insertions(of batch: RowBatch, _ insertion: String, limit: Int) throws -> [[UInt8]] {
        var statements: [[UInt8]] = []
        var text = Array(insertion.utf8)
        let beginning = text.count
        try batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in batch.ends {
                let before = text.count
                if before > beginning { text.append(Self.comma) }
                text.append(UInt8(ascii: "("))
                var offset = start
                for (index, column) in columns.enumerated() {
                    if index > 0 { text.append(Self.comma) }
                    let field = try field(
                        in: bytes, &offset, end - 1, isLast: index == columns.count - 1)
                    guard let field else {
                        try checkNull(column)
                        text += "NULL".utf8
                        continue
                    }
                    if let places = column.places {
                        text.append(UInt8(ascii: "'"))
                        text += try number(places, bytes, field, column)
                        text.append(UInt8(ascii: "'"))
                        continue
                    }
                    if column.holdsDocuments {
                        try Self.appendDocument(
                            bytes, field, column.encoding, limit: limit, to: &text)
                    } else {
                        try Self.appendForInsert(bytes, field, column.encoding, to: &text)
                    }
                }
                text.append(UInt8(ascii: ")"))
                if text.count > limit, before > beginning {
                    statements.append(Array(text[..<before]))
                    text.removeSubrange(beginning...before)
                }
                start = end
            }
        }
        if text.count > beginning { statements.append(text) }
        return statements
    }

    /// A document: its text, in which numbers that no text holds are replaced.
    ///
    /// `limit`: How many bytes a statement may have.
    private static func appendDocument(
        _ bytes: UnsafeRawBufferPointer, _ field: Field, _ encoding: MySQLEncoding, limit: Int,
        to text: inout [UInt8]
    ) throws {
        let decimals = Self.decimals(bytes, field)
        guard !decimals.isEmpty else {
            return try appendForInsert(bytes, field, encoding, to: &text)
        }
        let start = text.count
        text += "JSON_REPLACE(".utf8
        try appendForInsert(bytes, field, encoding, to: &text)
        append(decimals, to: &text)
        guard text.count - start > limit else { return }
        // So many that no statement holds them: their text is what remains.
        text.removeSubrange(start...)
        try appendForInsert(bytes, field, encoding, to: &text)
    }

    /// What follows the text of a document in which numbers are to be decimals.
    private static func append(_ decimals: [MySQLDocument.Decimal], to text: inout [UInt8]) {
        for decimal in decimals {
            text += ",'".utf8
            for byte in decimal.path { appendQuoted(byte, to: &text) }
            text += "',CAST('".utf8
            text += decimal.digits
            text += "' AS \(decimal.type))".utf8
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
