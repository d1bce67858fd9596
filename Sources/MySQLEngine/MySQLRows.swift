import BackupCore

/// How a table's rows are selected, whole or in ranges of its key.
struct MySQLRows: Sendable {
    private let table: TableName
    private let columns: [MySQLColumn]
    private let index: MySQLUniqueIndex?
    private let ranges: MySQLRanges

    init(
        _ table: TableName, columns: [MySQLColumn], key: MySQLUniqueIndex?, ranges: MySQLRanges
    ) {
        self.table = table
        self.columns = columns.filter { !$0.column.isGenerated }
        index = key
        self.ranges = ranges
    }

    /// Between what the ranges are; empty where all rows are read at once.
    var split: String { ranges.split }

    /// The split of a table as it was once, where that gives ranges of a sensible number.
    func split(like other: String) -> String { ranges.split(like: other) }

    /// The selections that together are every row once, in the order of the key.
    func selections(split: String) -> [MySQLSelection] {
        ranges.conditions(split).map { selection(columns, $0, isRange: true) }
    }

    /// `isRange`: Whether rows are chosen by their keys alone.
    private func selection(
        _ columns: [MySQLColumn], _ conditions: [String], isRange: Bool = false
    ) -> MySQLSelection {
        selection(columns.map(\.selection), columns.map(\.encoding), conditions, isRange: isRange)
    }

    private func selection(
        _ list: [String], _ encodings: [MySQLEncoding], _ conditions: [String], isRange: Bool
    ) -> MySQLSelection {
        // All that the table has may be computed. One NULL is written as no field is: as an empty line.
        guard !list.isEmpty else {
            return selection(["CAST(NULL AS CHAR)"], [.plain], conditions, isRange: isRange)
        }
        // An index that holds all columns would be read whole for each range.
        let isForced = isRange && !conditions.isEmpty && index?.isPrimary == true
        let text = MySQLText.selection(
            of: list, from: MySQLText.qualified(table) + (isForced ? " FORCE INDEX (PRIMARY)" : ""),
            where: conditions, order: (index?.columns ?? []).map(MySQLText.identifier))
        return MySQLSelection(text, encodings)
    }

    // MARK: What changed

    private var keyColumns: [MySQLColumn] {
        MySQLRanges.columns(of: index, among: columns)
    }

    /// What a row fulfils that may have changed: it is never NULL, and an index can answer it.
    private static func condition(_ change: ChangeColumn, from value: String) -> String {
        let name = MySQLText.identifier(change.column.name)
        // A zero is no time.
        let never = change.kind == .time ? " OR \(name) = '0000-00-00 00:00:00'" : ""
        return "(\(name) IS NULL OR \(name) >= \(MySQLText.literal(value))\(never))"
    }

    /// For each range the keys, the first field being NULL where a row is marked, and the marked rows.
    func markedSelections(
        by change: ChangeColumn, from value: String, split: String
    ) -> [(keys: MySQLSelection, rows: MySQLSelection)] {
        let (condition, keys) = (Self.condition(change, from: value), keyColumns)
        let list = keys.enumerated().map { index, column in
            index == 0 ? "IF(\(condition), NULL, \(column.selection))" : column.selection
        }
        return ranges.conditions(split).map { range in
            (
                selection(list, keys.map(\.encoding), range, isRange: true),
                selection(columns, range + [condition])
            )
        }
    }

    /// Every row: its key, its mark, and all of it.
    func selectionsWithMarks(
        by change: ChangeColumn, from value: String, split: String
    ) -> [MySQLSelection] {
        let (condition, keys) = (Self.condition(change, from: value), keyColumns)
        let list =
            keys.map(\.selection) + ["IF(\(condition), 't', 'f')"] + columns.map(\.selection)
        let encodings = keys.map(\.encoding) + [.plain] + columns.map(\.encoding)
        return ranges.conditions(split).map { selection(list, encodings, $0, isRange: true) }
    }

    /// The rows of some keys, and maybe of others that the server takes for equal.
    func selections(keys values: [[String]]) -> [MySQLSelection] {
        let keys = keyColumns
        return stride(from: 0, to: values.count, by: Self.keysPerStatement).map { start in
            let rows = values[start..<min(start + Self.keysPerStatement, values.count)].map { row in
                zip(keys, row).map { column, value in
                    "\(MySQLText.identifier(column.column.name)) = \(column.encoding.literal(value))"
                }.joined(separator: " AND ")
            }
            return selection(columns, ["(\(rows.map { "(\($0))" }.joined(separator: " OR ")))"])
        }
    }

    private static let keysPerStatement = 500
}
