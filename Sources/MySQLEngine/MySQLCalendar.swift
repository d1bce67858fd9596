import BackupCore

/// Days that no calendar has: `2021-02-31`.
///
/// Columns of `DATE` and `DATETIME` hold them where somebody wrote them under `ALLOW_INVALID_DATES`, and take them under
/// that mode only. Under it a text that is no day becomes one, too: what a table computes from `'2021-02-31'` would
/// be that day, and was nothing in the source. So tables that compute days are loaded without the mode, but for such rows.
enum MySQLCalendar {
    /// Whether a text begins with one.
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
    /// For each record whether it has a day that no calendar has, in a column of days; nil where none has.
    ///
    /// - Throws: `BackupError.serverRefused` for a record with too few fields.
    func rowsLackingDays(in batch: RowBatch) throws -> [Bool]? {
        guard let last = columns.lastIndex(where: \.holdsDays) else { return nil }
        var found: [Bool]?
        try batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for (row, end) in batch.ends.enumerated() {
                var offset = start
                for (index, column) in columns[...last].enumerated() {
                    let field = try field(
                        in: bytes, &offset, end - 1, isLast: index == columns.count - 1)
                    guard column.holdsDays, let field,
                        MySQLCalendar.lacksDay(UnsafeRawBufferPointer(rebasing: bytes[field.range]))
                    else { continue }
                    if found == nil { found = Array(repeating: false, count: batch.count) }
                    found?[row] = true
                }
                start = end
            }
        }
        return found
    }
}
