import BackupCore

/// Days that no calendar has (`2021-02-31`), and those with zeros (`0000-00-00`, `2021-00-10`).
///
/// Columns of `DATE` and `DATETIME` hold the former where somebody wrote them under `ALLOW_INVALID_DATES`, and take them under
/// that mode only. Under it a text that is no day becomes one, too: what a table computes from `'2021-02-31'` would
/// be that day, and was nothing in the source. So tables that compute days are loaded without the mode, but for such rows.
/// The latter are days everywhere, until modes that MySQL begins with forbid it.
enum MySQLCalendar {
    /// Whether a text begins with a day that has zeros.
    @inline(__always)
    static func hasZeros(_ text: UnsafeRawBufferPointer) -> Bool {
        let zero = UInt8(ascii: "0")
        return text.count >= 10
            && (text[5] == zero && text[6] == zero || text[8] == zero && text[9] == zero)
    }

    /// Whether a text begins with a day that no calendar has.
    static func lacksDay(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= 10 else { return false }
        func number(_ range: Range<Int>) -> Int {
            text[range].reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        // A day or a month that is zero needs no such mode.
        guard (1...12).contains(month), day > 28 else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0 && year != 0)
        return day > (month == 2 && isLeap ? 29 : days[month - 1])
    }

    private static let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

extension MySQLRowWriter {
    /// For each record the mode that takes the days that it has in columns of days; nil where all of them are days in every mode.
    ///
    /// `mindsZeros`: Whether those with zeros are not.
    /// - Throws: `BackupError.serverRefused` for a record with too few fields.
    func modes(of batch: RowBatch, mindsZeros: Bool) throws -> [MySQLSession.RowMode]? {
        guard let last = columns.lastIndex(where: \.holdsDays) else { return nil }
        var modes: [MySQLSession.RowMode]?
        try batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for (row, end) in batch.ends.enumerated() {
                var offset = start
                var mode = MySQLSession.RowMode.computing
                for (index, column) in columns[...last].enumerated() {
                    let field = try field(
                        in: bytes, &offset, end - 1, isLast: index == columns.count - 1)
                    guard column.holdsDays, let field else { continue }
                    let day = UnsafeRawBufferPointer(rebasing: bytes[field.range])
                    if MySQLCalendar.lacksDay(day) { mode.takesAnyDay = true }
                    if mindsZeros, MySQLCalendar.hasZeros(day) { mode.takesZeros = true }
                }
                if mode != .computing {
                    if modes == nil {
                        modes = Array(repeating: MySQLSession.RowMode.computing, count: batch.count)
                    }
                    modes?[row] = mode
                }
                start = end
            }
        }
        return modes
    }
}
