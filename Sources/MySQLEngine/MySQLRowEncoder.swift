import BackupCore
import CMariaDB

/// Turns rows as the server sends them, in binary, into CSV records.
///
/// - SeeAlso: <https://mariadb.com/kb/en/resultset-row/#binary-resultset-row>
struct MySQLRowEncoder {
    /// A column of the rows.
    private struct Field {
        /// In which form its values come.
        enum Form { case int8, int16, int32, int64, year, float, double, date, time, bytes }

        let form: Form
        let isSigned: Bool
        let hasTime: Bool
        /// Digits of the fraction of a second.
        let decimals: Int
        let encoding: MySQLEncoding
        /// What its letters are, where it is a text.
        let text: MySQLFieldWriter.Text

        init(_ field: MYSQL_FIELD, _ encoding: MySQLEncoding) {
            form =
                switch field.type {
                case MYSQL_TYPE_TINY: .int8
                case MYSQL_TYPE_SHORT: .int16
                case MYSQL_TYPE_LONG, MYSQL_TYPE_INT24: .int32
                case MYSQL_TYPE_LONGLONG: .int64
                case MYSQL_TYPE_YEAR: .year
                case MYSQL_TYPE_FLOAT: .float
                case MYSQL_TYPE_DOUBLE: .double
                case MYSQL_TYPE_DATE, MYSQL_TYPE_NEWDATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP:
                    .date
                case MYSQL_TYPE_TIME: .time
                default: .bytes
                }
            isSigned = field.flags & UInt32(UNSIGNED_FLAG) == 0
            hasTime = ![MYSQL_TYPE_DATE, MYSQL_TYPE_NEWDATE].contains(field.type)
            decimals = Int(min(field.decimals, 6))
            self.encoding = encoding
            // The bytes of an ASCII column are not coded by the server.
            let isASCII = encoding == .coded && field.charsetnr == Self.binary
            text = isASCII ? .ascii : encoding == .coded ? .coded : .utf8
        }

        /// The number of the character set of what is no text.
        private static let binary: UInt32 = 63
    }

    /// No number and no time is longer, with what stands around it.
    private static let mostOfValue = 48

    private let fields: [Field]
    /// The records so far, with room behind them.
    private var bytes: [UInt8]
    private var ends: [Int] = []
    private var used = 0

    /// - Throws: `MySQLError` where the server sends another number of columns than there are encodings.
    init(_ fields: UnsafeBufferPointer<MYSQL_FIELD>, _ encodings: [MySQLEncoding]) throws {
        guard fields.count == encodings.count else {
            throw MySQLError(
                message: "the server sends another number of columns than asked for")
        }
        self.fields = zip(fields, encodings).map { Field($0, $1) }
        bytes = Self.room()
    }

    /// Whatever was there before: no byte of it is read before it is written.
    private static func room() -> [UInt8] {
        let size = RowBatch.targetBytes + RowBatch.targetBytes >> 3
        return Array(unsafeUninitializedCapacity: size) { $1 = size }
    }

    var isFull: Bool { used >= RowBatch.targetBytes || ends.count >= RowBatch.targetRows }

    /// The records since the last batch.
    mutating func takeBatch() -> RowBatch {
        bytes.removeLast(bytes.count - used)
        defer { (bytes, ends, used) = (Self.room(), [], 0) }
        return RowBatch(bytes: bytes, ends: ends)
    }

    /// Adds a record; false, and nothing added, where the row is huge.
    ///
    /// HOT PATH: every row of a backup passes here.
    @inline(__always)
    mutating func append(_ row: UnsafeMutablePointer<MYSQL_BIND>) -> Bool {
        var most = fields.count * Self.mostOfValue
        // Twice as long, in quotes: no text and no bytes are longer.
        for column in 0..<fields.count where row[column].u.row_ptr != nil {
            most += 2 * Int(row[column].length_value)
        }
        guard most <= RowBatch.hugeBytes else { return false }
        append(row, within: most)
        return true
    }

    /// Adds a record of any size, and takes no more room than it needs.
    mutating func append(huge row: UnsafeMutablePointer<MYSQL_BIND>) {
        append(row, within: mostBytes(of: row))
    }

    @inline(__always)
    private mutating func append(_ row: UnsafeMutablePointer<MYSQL_BIND>, within most: Int) {
        let count = fields.count
        if bytes.count - used < most {
            bytes.append(contentsOf: repeatElement(0, count: most - (bytes.count - used)))
        }
        let start = used
        let length = bytes.withUnsafeMutableBytes { buffer in
            var writer = MySQLFieldWriter(buffer.baseAddress.unsafelyUnwrapped + start)
            let first = writer.position
            fields.withUnsafeBufferPointer { fields in
                for column in 0..<count {
                    if column > 0 { writer.append(UInt8(ascii: ",")) }
                    guard let value = row[column].u.row_ptr else { continue }
                    Self.append(
                        UnsafeRawPointer(value), Int(row[column].length_value), fields[column],
                        isAlone: count == 1, to: &writer)
                }
            }
            writer.append(CSVDialect.lineEnd)
            return writer.position - first
        }
        used += length
        ends.append(used)
    }

    /// How much a row takes, which is worth a look at each text of a huge one: twice as much would be held for nothing.
    private func mostBytes(of row: UnsafeMutablePointer<MYSQL_BIND>) -> Int {
        fields.indices.reduce(0) { most, column in
            let (field, length) = (fields[column], Int(row[column].length_value))
            guard let value = row[column].u.row_ptr.map({ UnsafeRawPointer($0) }) else {
                return most + Self.mostOfValue
            }
            let isText = field.form == .bytes && [.text, .coded].contains(field.encoding)
            let content =
                isText
                ? MySQLFieldWriter.byteCount(
                    ofText: UnsafeRawBufferPointer(
                        start: value + Self.lengthOfLength(value), count: length),
                    as: field.text)
                : 2 * length
            return most + Self.mostOfValue + content
        }
    }

    /// A value in its form; those of bytes, dates and times have their length in front.
    @inline(__always)
    private static func append(
        _ value: UnsafeRawPointer, _ length: Int, _ field: Field, isAlone: Bool,
        to writer: inout MySQLFieldWriter
    ) {
        switch field.form {
        case .int8:
            field.isSigned
                ? writer.append(Int64(value.load(as: Int8.self)))
                : writer.append(UInt64(value.load(as: UInt8.self)))
        case .int16:
            field.isSigned
                ? writer.append(Int64(value.loadUnaligned(as: Int16.self)))
                : writer.append(UInt64(value.loadUnaligned(as: UInt16.self)))
        case .int32:
            field.isSigned
                ? writer.append(Int64(value.loadUnaligned(as: Int32.self)))
                : writer.append(UInt64(value.loadUnaligned(as: UInt32.self)))
        case .int64:
            field.isSigned
                ? writer.append(value.loadUnaligned(as: Int64.self))
                : writer.append(value.loadUnaligned(as: UInt64.self))
        case .year: writer.append(year: value.loadUnaligned(as: UInt16.self))
        case .float: writer.append(Double(value.loadUnaligned(as: Float.self)))
        case .double: writer.append(value.loadUnaligned(as: Double.self))
        case .date:
            writer.append(
                date: value + 1, length: length, hasTime: field.hasTime, decimals: field.decimals)
            // A zero date is no moment, and gets no offset.
            if field.encoding == .instant, length > 0 { writer.appendUTC() }
        case .time: writer.append(time: value + 1, length: length, decimals: field.decimals)
        case .bytes:
            let content = UnsafeRawBufferPointer(
                start: value + lengthOfLength(value), count: length)
            switch field.encoding {
            case .plain: writer.append(content)
            case .text, .coded:
                writer.append(text: content, isAlone: isAlone, as: field.text)
            case .binary: writer.append(hex: content)
            case .bits: writer.append(content.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            case .instant:
                writer.append(content)
                if !content.starts(with: "0000-00-00".utf8) { writer.appendUTC() }
            }
        }
    }

    /// How many bytes tell the length of the bytes behind them.
    @inline(__always)
    private static func lengthOfLength(_ value: UnsafeRawPointer) -> Int {
        switch value.load(as: UInt8.self) {
        case 252: 3
        case 253: 4
        case 254: 9
        default: 1
        }
    }
}
