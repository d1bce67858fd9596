/// The one dialect of CSV that backups speak.
///
/// As RFC 4180 with a header, but LF line ends; UTF-8. NULL is an empty field, the empty string is
/// `""`. A record of one NULL is an empty line, as PostgreSQL's COPY writes it.
public enum CSVDialect {
    /// Ends every record.
    public static let lineEnd = UInt8(ascii: "\n")
    static let quote = UInt8(ascii: "\"")
    static let comma = UInt8(ascii: ",")
    static let carriageReturn = UInt8(ascii: "\r")

    /// One record with its line end.
    public static func record(_ fields: [String?]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(comma) }
            if let field { append(Array(field.utf8)[...], isAlone: fields.count == 1, to: &bytes) }
        }
        bytes.append(lineEnd)
        return bytes
    }

    /// Rows as records.
    public static func records(_ rows: SQLRows) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rows.byteCount + rows.count * (rows.columnCount + 1))
        for row in 0..<rows.count {
            for column in 0..<rows.columnCount {
                if column > 0 { bytes.append(comma) }
                if let value = rows.value(row: row, column: column) {
                    append(value, isAlone: rows.columnCount == 1, to: &bytes)
                }
            }
            bytes.append(lineEnd)
        }
        return bytes
    }

    /// The fields of one record, given without its line end; nil is NULL.
    ///
    /// No bytes are one field, NULL: a record of no fields cannot be told from it.
    ///
    /// - Throws: `BackupError.damaged` for quotes that do not fit.
    public static func fields(of record: some Sequence<UInt8>) throws -> [String?] {
        var fields: [String?] = []
        var field: [UInt8] = []
        var wasQuoted = false
        var isInside = false
        var mayClose = false
        func finish() -> String? {
            field.isEmpty && !wasQuoted ? nil : text(of: field)
        }
        for byte in record {
            switch byte {
            case quote where isInside && !mayClose: mayClose = true
            case quote where mayClose:
                field.append(quote)
                mayClose = false
            case quote where field.isEmpty && !wasQuoted: (isInside, wasQuoted) = (true, true)
            case comma where !isInside || mayClose:
                fields.append(finish())
                (field, wasQuoted, isInside, mayClose) = ([], false, false, false)
            default:
                guard byte != quote, !mayClose else { throw Self.misplacedQuote }
                field.append(byte)
            }
        }
        guard isInside == mayClose else { throw Self.misplacedQuote }
        return fields + [finish()]
    }

    /// The field as text; bytes that are none are shown as `\xFF`, so that different bytes stay different.
    private static func text(of field: [UInt8]) -> String {
        if let text = String(validating: field, as: UTF8.self) { return text }
        return field.reduce(into: "") { text, byte in
            text +=
                byte < 0x80
                ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16).uppercased()
        }
    }

    private static let misplacedQuote = BackupError(
        .damaged, "a CSV record has a misplaced quote")

    private static func append(
        _ content: ArraySlice<UInt8>, isAlone: Bool, to bytes: inout [UInt8]
    ) {
        // A lone \. would end the data for readers that follow COPY's old protocol.
        let isEndMark = isAlone && content.elementsEqual("\\.".utf8)
        let isSpecial = content.contains {
            $0 == quote || $0 == comma || $0 == lineEnd || $0 == carriageReturn
        }
        guard content.isEmpty || isEndMark || isSpecial else {
            bytes += content
            return
        }
        bytes.append(quote)
        for byte in content {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
    }
}
