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
    /// Whether a record has a day that no calendar has, in a column of days.
    ///
    /// - Throws: `BackupError.serverRefused` for a record with another number of fields.
    func lacksDays(in batch: RowBatch) throws -> Bool {
        guard columns.contains(where: \.holdsDays) else { return false }
        return try batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in batch.ends {
                var offset = start
                for (index, column) in columns.enumerated() {
                    let field = try field(
                        in: bytes, &offset, end - 1, isLast: index == columns.count - 1)
                    if column.holdsDays, let field,
                        MySQLCalendar.lacksDay(UnsafeRawBufferPointer(rebasing: bytes[field.range]))
                    {
                        return true
                    }
                }
                start = end
            }
            return false
        }
    }
}
