import BackupCore

/// How a table is divided into ranges of its key: evenly by the numbers of the key's first column, or else between
/// keys of rows.
struct MySQLRanges: Sendable {
    private let first: MySQLColumn?
    /// The least and the greatest number of the key's first column, where it has a scale.
    private let bounds: ClosedRange<Int>?
    /// Of the key, as many from its beginning as have an order.
    private let columns: [MySQLKeyBorders.Column]
    private let mark: String
    /// `BEGINNING+WIDTH` of numbers, the text of borders, or nothing where all rows are read at once.
    let split: String

    init(key: [MySQLColumn], bounds: ClosedRange<Int>?, version: String, split: String) {
        first = key.first
        self.bounds = bounds
        columns = Self.ordered(key)
        mark = MySQLKeyBorders.mark(columns, version: version)
        self.split = split
    }

    /// The columns of an index.
    static func columns(of index: MySQLUniqueIndex?, among columns: [MySQLColumn]) -> [MySQLColumn]
    {
        (index?.columns ?? []).compactMap { name in
            columns.first { ExactText($0.column.name) == ExactText(name) }
        }
    }

    static func ordered(_ key: [MySQLColumn]) -> [MySQLKeyBorders.Column] {
        key.prefix { $0.order != nil }.compactMap { column in
            column.order.map { MySQLKeyBorders.Column(name: column.column.name, order: $0) }
        }
    }

    // MARK: By numbers

    /// A split into ranges of one width; nil where there are too few numbers.
    static func split(_ bounds: ClosedRange<Int>, into count: Int) -> String? {
        let (span, overflows) = bounds.upperBound.subtractingReportingOverflow(bounds.lowerBound)
        guard count > 1, !overflows, span > count else { return nil }
        return "\(bounds.lowerBound)+\(span / count + 1)"
    }

    private static let mostRanges = 1 << 20

    /// How many ranges a split into numbers makes; nil where it means nothing, or more than anybody would read.
    private func numberCount(_ split: String) -> Int? {
        let parts = split.split(separator: "+").compactMap { Int($0) }
        guard parts.count == 2, parts[1] > 0, let bounds else { return nil }
        let (span, overflows) = bounds.upperBound.subtractingReportingOverflow(parts[0])
        guard !overflows else { return nil }
        let count = max(0, span) / parts[1] + 1
        return count <= Self.mostRanges ? count : nil
    }

    /// The beginnings of all ranges but the first, which has none; nil where a split means nothing.
    private func beginnings(_ split: String) -> [Int]? {
        let parts = split.split(separator: "+").compactMap { Int($0) }
        guard numberCount(split) != nil, let bounds else { return nil }
        return Array(stride(from: parts[0], through: bounds.upperBound, by: parts[1]).dropFirst())
    }

    /// Ranges of the key's first column, half open; the first has no beginning and the last no end.
    private func numberConditions(_ split: String) -> [[String]]? {
        guard let beginnings = beginnings(split), let first, let scale = first.scale,
            beginnings.allSatisfy({ $0 >= scale.least })
        else { return nil }
        let name = MySQLText.identifier(first.column.name)
        let borders = beginnings.map(scale.value)
        return zip([nil] + borders.map(Optional.some), borders.map(Optional.some) + [nil])
            .map { start, end in
                [start.map { "\(name) >= \($0)" }, end.map { "\(name) < \($0)" }]
                    .compactMap(\.self)
            }
    }

    // MARK: Of either kind

    private func borders(_ split: String) -> MySQLKeyBorders? {
        MySQLKeyBorders(split: split, of: columns, mark: mark)
    }

    private func count(_ split: String) -> Int? {
        borders(split).map { $0.keys.count + 1 } ?? numberCount(split)
    }

    /// The split of a table as it was once, where that gives ranges of a sensible number.
    func split(like other: String) -> String {
        guard let now = count(split), let then = count(other) else { return split }
        return (now / 4...now * 4).contains(then) ? other : split
    }

    /// What the rows of each range fulfil; nothing, once, where a split means nothing.
    func conditions(_ split: String) -> [[String]] {
        borders(split)?.conditions ?? numberConditions(split) ?? [[]]
    }
}
