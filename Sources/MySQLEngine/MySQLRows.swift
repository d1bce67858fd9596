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
    /// The least and the greatest value of the key, where that is one whole number.
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
        guard let now = ranges(split), let then = ranges(other) else { return split }
        return (now.count / 4...now.count * 4).contains(then.count) ? other : split
    }

    /// The beginnings of all ranges but the first, which has none; nil where a split means nothing.
    private func ranges(_ split: String) -> [Int]? {
        let parts = split.split(separator: "+").compactMap { Int($0) }
        guard parts.count == 2, parts[1] > 0, let bounds else { return nil }
        return Array(stride(from: parts[0], through: bounds.upperBound, by: parts[1]).dropFirst())
    }

    /// The selections that together are every row once, in the order of the key.
    ///
    /// Ranges are half open; the first has no beginning and the last no end.
    func selections(split: String) -> [MySQLSelection] {
        guard let beginnings = ranges(split), let column = key.first else { return [selection("")] }
        let name = MySQLText.identifier(column)
        return zip([nil] + beginnings.map(Optional.some), beginnings.map(Optional.some) + [nil])
            .map { start, end in
                let conditions = [start.map { "\(name) >= \($0)" }, end.map { "\(name) < \($0)" }]
                return selection(conditions.compactMap(\.self).joined(separator: " AND "))
            }
    }

    private func selection(_ condition: String) -> MySQLSelection {
        let list = columns.map(\.selection).joined(separator: ", ")
        let order = key.map(MySQLText.identifier).joined(separator: ", ")
        return MySQLSelection(
            "SELECT \(list) FROM \(MySQLText.qualified(table))"
                + (condition.isEmpty ? "" : " WHERE \(condition)")
                + (order.isEmpty ? "" : " ORDER BY \(order)"), columns.map(\.encoding))
    }
}
