import BackupCore

/// Turns CSV records into what the server takes: lines of `LOAD DATA`, values of `INSERT`, or rows of a
/// prepared statement.
struct MySQLRowWriter {
    static let quote = UInt8(ascii: "\"")
    static let comma = UInt8(ascii: ",")
    static let backslash = UInt8(ascii: "\\")

    let columns: [MySQLTransfer.Column]
    private let table: TableName

    init(_ transfer: MySQLTransfer) { (columns, table) = (transfer.columns, transfer.table) }

    // MARK: LOAD DATA

    /// The records of `batch` as lines: fields by tabs, NULL as `\N`.
    ///
    /// - Returns: nil where a document holds what no text does.
    /// - Throws: `BackupError.serverRefused` for a record with another number of fields,
    ///   `BackupError.targetUnsuitable` for a NULL that would not stay one.
    func lines(of batch: RowBatch) throws -> [UInt8]? {
        var text: [UInt8] = []
        let isWhole = try append(batch, batch.ends.indices, keepsDecimals: true, to: &text)
        return isWhole ? text : nil
    }

    /// One record of `batch` as such a line, its documents as text.
    ///
    /// - Throws: As `lines`.
    func line(of batch: RowBatch, row: Int) throws -> [UInt8] {
        var text: [UInt8] = []
        _ = try append(batch, row..<(row + 1), keepsDecimals: false, to: &text)
        return text
    }

    /// HOT PATH: every row of a restore passes here.
    ///
    /// `keepsDecimals`: Whether to give it up where a document holds what no text does.
    /// - Returns: Whether it was not given up.
    private func append(
        _ batch: RowBatch, _ rows: Range<Int>, keepsDecimals: Bool, to text: inout [UInt8]
    ) throws -> Bool {
        var start = batch.start(of: rows.lowerBound)
        let size = batch.start(of: rows.upperBound) - start
        text.reserveCapacity(size + size / 8 + 1024)
        return try batch.bytes.withUnsafeBytes { bytes in
            for end in batch.ends[rows] {
                var offset = start
                for (index, column) in columns.enumerated() {
                    if index > 0 { text.append(0x09) }
                    let field = try field(
                        in: bytes, &offset, end - 1, isLast: index == columns.count - 1)
                    guard let field else {
                        try checkNull(column)
                        text.append(Self.backslash)
                        text.append(UInt8(ascii: "N"))
                        continue
                    }
                    if let places = column.places {
                        text += try number(places, bytes, field, column)
                        continue
                    }
                    if keepsDecimals, column.holdsDocuments, Self.holdsDecimals(bytes, field) {
                        return false
                    }
                    try Self.appendForLoad(bytes, field, column.encoding, to: &text)
                }
                text.append(0x0A)
                start = end
            }
            return true
        }
    }

    /// Whether a document has numbers that its text does not hold.
    @inline(__always)
    static func holdsDecimals(_ bytes: UnsafeRawBufferPointer, _ field: Field) -> Bool {
        let content = UnsafeRawBufferPointer(rebasing: bytes[field.range])
        return MySQLDocument.mayHoldDecimals(content)
            && MySQLDocument.holdsDecimals(Self.content(bytes, field))
    }

    @inline(__always)
    private static func appendForLoad(
        _ bytes: UnsafeRawBufferPointer, _ field: Field, _ encoding: MySQLEncoding,
        to text: inout [UInt8]
    ) throws {
        let content = UnsafeRawBufferPointer(rebasing: bytes[field.range])
        switch encoding {
        case .plain, .bits: text.append(contentsOf: content)
        case .instant: text.append(contentsOf: withoutOffset(content))
        case .binary:
            try MySQLValue.requireHex(digits(of: content))
            text.append(contentsOf: content.dropFirst(2))
        case .text where isBytes(content):
            for byte in try decoded(content) { appendEscaped(byte, to: &text) }
        case .text, .coded:
            var isSpecial = field.hasQuotes
            for byte in content { isSpecial = isSpecial || byte == backslash || byte < 0x10 }
            guard isSpecial else { return text.append(contentsOf: content) }
            var isSecond = false
            for byte in content {
                isSecond = byte == quote && !isSecond && field.hasQuotes
                if !isSecond { appendEscaped(byte, to: &text) }
            }
        }
    }

    @inline(__always)
    private static func appendEscaped(_ byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case backslash: text += [backslash, backslash]
        case 0x09: text += [backslash, UInt8(ascii: "t")]
        case 0x0A: text += [backslash, UInt8(ascii: "n")]
        case 0x0D: text += [backslash, UInt8(ascii: "r")]
        case 0: text += [backslash, UInt8(ascii: "0")]
        default: text.append(byte)
        }
    }

    /// Whether a text is written as its bytes, because it is none, or looks as if it were not.
    @inline(__always)
    static func isBytes(_ content: UnsafeRawBufferPointer) -> Bool {
        content.count > 1 && content[0] == backslash && content[1] == UInt8(ascii: "x")
    }

    static func decoded(_ content: UnsafeRawBufferPointer) throws -> [UInt8] {
        try MySQLValue.bytes(ofHex: digits(of: content))
    }

    /// What stands behind `\x`.
    @inline(__always)
    static func digits(of content: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: content.dropFirst(2))
    }

    // MARK: Rows of a prepared statement

    /// The records of `batch` in portions of no more than `limit` bytes, with numbers as such; nil where a row has more than
    /// that, or something else for a number, and where they would be too large beside each other.
    ///
    /// - Throws: As `lines`.
    func portions(of batch: RowBatch, limit: Int) throws -> [MySQLPortion]? {
        guard batch.count * columns.count <= MySQLPortion.mostCells,
            batch.longestRecord + numberBytes(as: .numbers) <= limit
        else { return nil }
        var portions: [MySQLPortion] = []
        do {
            try self.portions(of: batch, batch.ends.indices, as: .numbers, limit: limit) {
                portions.append($0)
            } long: { _ in
            }
            return portions
        } catch is MySQLPortion.NoNumber {
            return nil
        }
    }

    /// How many bytes the numbers of a row take at most: each has eight and a sign that it is one, however few digits it has.
    private func numberBytes(as form: MySQLPortion.Form) -> Int {
        form == .numbers ? columns.filter { $0.number != nil }.count * 9 : 0
    }

    /// Hands over records of `batch` in portions, of no more than `limit` bytes; rows that have more than that alone.
    ///
    /// HOT PATH: every row of a restore into MariaDB passes here.
    ///
    /// `takeLong`: Takes the values of such a row, nil being NULL.
    /// - Throws: As `lines`; whatever `take` and `takeLong` throw.
    func portions(
        of batch: RowBatch, _ rows: Range<Int>, as form: MySQLPortion.Form, limit: Int,
        _ take: (MySQLPortion) throws -> Void, long takeLong: ([MySQLValue?]) throws -> Void
    ) throws {
        let numberBytes = numberBytes(as: form)
        /// With room for the rows that go together, or for the one behind long ones.
        func emptyPortion(from row: Int, at start: Int) -> MySQLPortion {
            let capacity = MySQLPortion.capacity(columns: columns.count)
            let most = min(capacity, rows.upperBound - row)
            var count = 0
            while count < most,
                batch.ends[row + count] - start + (count + 1) * numberBytes <= limit
            {
                count += 1
            }
            let end = batch.start(of: min(row + max(1, count), rows.upperBound))
            return MySQLPortion(columns, as: form, rows: max(1, count), bytes: end - start)
        }
        var start = batch.start(of: rows.lowerBound)
        var portion = emptyPortion(from: rows.lowerBound, at: start)
        try batch.bytes.withUnsafeBytes { bytes in
            var size = 0
            for row in rows {
                let end = batch.ends[row]
                let own = end - start + numberBytes
                size += own
                let isLong = own > limit
                if portion.isFull || size > limit, portion.count > 0 {
                    try take(portion)
                    portion = emptyPortion(from: row, at: start)
                    size = own
                }
                var offset = start
                var values: [MySQLValue?] = []
                for (index, column) in columns.enumerated() {
                    let value = try value(in: bytes, &offset, end - 1, index, column)
                    if isLong {
                        values.append(value)
                    } else if let value {
                        try portion.set(index, value)
                    } else {
                        portion.setNull(index)
                    }
                }
                if isLong {
                    try takeLong(values)
                    size = 0
                } else {
                    portion.endRow()
                }
                start = end
            }
        }
        if portion.count > 0 { try take(portion) }
    }

    /// The next value, nil for NULL; moves behind it and its comma.
    @inline(__always)
    func value(
        in bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ end: Int, _ index: Int,
        _ column: MySQLTransfer.Column
    ) throws -> MySQLValue? {
        guard let field = try field(in: bytes, &offset, end, isLast: index == columns.count - 1)
        else {
            try checkNull(column)
            return nil
        }
        let content = UnsafeRawBufferPointer(rebasing: bytes[field.range])
        switch column.encoding {
        case .plain: return MySQLValue(content: content, coding: .asIs)
        case .instant: return MySQLValue(content: Self.withoutOffset(content), coding: .asIs)
        case .bits: return MySQLValue(content: content, coding: .number)
        case .binary,
            .text where Self.isBytes(content), .coded where Self.isBytes(content):
            return MySQLValue(content: Self.digits(of: content), coding: .hex)
        case .text, .coded:
            return MySQLValue(content: content, coding: field.hasQuotes ? .quoted : .asIs)
        }
    }

    // MARK: Fields

    struct Field {
        /// Without the quotes around it.
        let range: Range<Int>
        /// Whether quotes in it are doubled.
        let hasQuotes: Bool
    }

    /// The next field, nil for NULL; moves behind it and its comma.
    @inline(__always)
    func field(
        in bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ end: Int, isLast: Bool
    ) throws -> Field? {
        let start = offset
        var field: Field?
        if start < end, bytes[start] == Self.quote {
            var hasQuotes = false
            offset += 1
            while offset < end {
                if bytes[offset] == Self.quote {
                    guard offset + 1 < end, bytes[offset + 1] == Self.quote else { break }
                    hasQuotes = true
                    offset += 1
                }
                offset += 1
            }
            guard offset < end else { throw unfit }
            field = Field(range: (start + 1)..<offset, hasQuotes: hasQuotes)
            offset += 1
        } else {
            while offset < end, bytes[offset] != Self.comma { offset += 1 }
            if offset > start { field = Field(range: start..<offset, hasQuotes: false) }
        }
        guard isLast ? offset == end : offset < end && bytes[offset] == Self.comma else {
            throw unfit
        }
        offset += 1
        return field
    }

    private var unfit: BackupError {
        BackupError(
            .serverRefused, "a record of \(table) does not have \(columns.count) fields")
    }

    func checkNull(_ column: MySQLTransfer.Column) throws {
        guard column.replacesNull else { return }
        throw BackupError(
            .targetUnsuitable,
            "column \(column.name) of \(table) takes no NULL, and the backup holds some",
            hint: "Let the column be NULL, or restore the table beside it with --as NAME.")
    }

    /// The place of a label that would be taken for another one, which is equal in the table's collation.
    func number(
        _ places: MySQLPlaces, _ bytes: UnsafeRawBufferPointer, _ field: Field,
        _ column: MySQLTransfer.Column
    ) throws -> [UInt8] {
        if let number = places.number(for: Self.content(bytes, field)) { return number }
        throw BackupError(
            .targetUnsuitable,
            "column \(column.name) of \(table) lacks a label that the backup holds")
    }

    /// What a field says, without doubled quotes.
    static func content(_ bytes: UnsafeRawBufferPointer, _ field: Field) -> [UInt8] {
        var isSecond = false
        return bytes[field.range].filter { byte in
            isSecond = byte == quote && !isSecond && field.hasQuotes
            return !isSecond
        }
    }

    /// A moment is in UTC, which the session is in too.
    @inline(__always)
    static func withoutOffset(
        _ content: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        guard content.count > 6, content[content.count - 6] == UInt8(ascii: "+") else {
            return content
        }
        return UnsafeRawBufferPointer(rebasing: content[..<(content.count - 6)])
    }
}

extension RowBatch {
    /// The bytes of its longest record.
    var longestRecord: Int {
        zip([0] + ends, ends).reduce(0) { max($0, $1.1 - $1.0) }
    }
}
