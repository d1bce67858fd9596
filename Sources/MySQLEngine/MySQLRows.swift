import BackupCore

/// How a table's rows are selected, whole or in ranges of its key.
struct MySQLRows: Sendable {
    /// Ranges are about this large: small enough to keep all connections busy to the end.
    private static let rangeBytes = 32 << 20
    /// And not more rows, about: a differential holds what it knows of the ranges under way.
    private static let rangeRows = 256 << 10

    private let table: TableName
    private let columns: [MySQLColumn]
    private let key: [String]
    /// The least and the greatest number of the key's first column, where it has a scale.
    private let bounds: ClosedRange<Int>?
    /// Where the ranges begin and how wide they are; empty where all rows are read at once.
    let split: String

    init(
        _ relation: MySQLCatalog.Relation, columns: [MySQLColumn], key: [String],
        bounds: ClosedRange<Int>?
    ) {
        table = relation.name
        self.columns = columns.filter { !$0.column.isGenerated }
        self.key = key
        self.bounds = bounds
        split = bounds.map { Self.split($0, relation.bytes, rows: relation.rowEstimate) } ?? ""
    }

    private static func split(_ bounds: ClosedRange<Int>, _ bytes: Int, rows: Int) -> String {
        let count = max(bytes / rangeBytes, rows / rangeRows)
        let (span, overflows) = bounds.upperBound.subtractingReportingOverflow(bounds.lowerBound)
        guard count > 1, !overflows, span > count else { return "" }
        return "\(bounds.lowerBound)+\(span / count + 1)"
    }

    /// The split of a table as it was once, where that gives ranges of a sensible number.
    func split(like other: String) -> String {
        guard let now = rangeCount(split), let then = rangeCount(other) else { return split }
        return (now / 4...now * 4).contains(then) ? other : split
    }

    /// How many ranges a split makes; nil where it means nothing, or more than anybody would read.
    private func rangeCount(_ split: String) -> Int? {
        let parts = split.split(separator: "+").compactMap { Int($0) }
        guard parts.count == 2, parts[1] > 0, let bounds else { return nil }
        let (span, overflows) = bounds.upperBound.subtractingReportingOverflow(parts[0])
        guard !overflows else { return nil }
        let count = max(0, span) / parts[1] + 1
        return count <= Self.mostRanges ? count : nil
    }

    private static let mostRanges = 1 << 20

    /// The beginnings of all ranges but the first, which has none; nil where a split means nothing.
    private func ranges(_ split: String) -> [Int]? {
        let parts = split.split(separator: "+").compactMap { Int($0) }
        guard rangeCount(split) != nil, let bounds else { return nil }
        return Array(stride(from: parts[0], through: bounds.upperBound, by: parts[1]).dropFirst())
    }

    /// The selections that together are every row once, in the order of the key.
    func selections(split: String) -> [MySQLSelection] {
        conditions(split).map { selection(columns, $0) }
    }

    /// Ranges of the key's first column, half open; the first has no beginning and the last no end.
    private func conditions(_ split: String) -> [[String]] {
        guard let beginnings = ranges(split), let first = keyColumns.first, let scale = first.scale,
            beginnings.allSatisfy({ $0 >= scale.least })
        else { return [[]] }
        let name = MySQLText.identifier(first.column.name)
        let borders = beginnings.map(scale.value)
        return zip([nil] + borders.map(Optional.some), borders.map(Optional.some) + [nil])
            .map { start, end in
                [start.map { "\(name) >= \($0)" }, end.map { "\(name) < \($0)" }]
                    .compactMap(\.self)
            }
    }

    private func selection(_ columns: [MySQLColumn], _ conditions: [String]) -> MySQLSelection {
        selection(columns.map(\.selection), columns.map(\.encoding), conditions)
    }

    private func selection(
        _ list: [String], _ encodings: [MySQLEncoding], _ conditions: [String]
    ) -> MySQLSelection {
        let order = key.map(MySQLText.identifier).joined(separator: ", ")
        return MySQLSelection(
            "SELECT \(list.joined(separator: ", ")) FROM \(MySQLText.qualified(table))"
                + (conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))")
                + (order.isEmpty ? "" : " ORDER BY \(order)"), encodings)
    }

    // MARK: What changed

    private var keyColumns: [MySQLColumn] {
        key.compactMap { name in
            columns.first { ExactText($0.column.name) == ExactText(name) }
        }
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
        return conditions(split).map { range in
            (
                selection(list, keys.map(\.encoding), range),
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
        return conditions(split).map { selection(list, encodings, $0) }
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
