/// Rows as they come, in aligned columns, or one value below the other where they are too wide.
///
/// The first rows decide how wide the columns are; a later value that is wider shifts its line.
public struct ResultTable {
    private static let rowsThatDecide = 200
    /// Wider values do not make their column wider.
    private static let widest = 60

    private let names: [String]
    private let isNumeric: [Bool]
    private let limit: Int?
    private var first: [[String]] = []
    private var widths: [Int]?
    private var isVertical = false
    private var count = 0

    /// A table of these columns, for a terminal of so many; nil for any width.
    public init(_ columns: [(name: String, isNumeric: Bool)], width: Int?) {
        names = columns.map { VisibleText.of($0.name) }
        isNumeric = columns.map(\.isNumeric)
        limit = width
    }

    /// Adds a row, nil being NULL; the lines that can be shown now.
    public mutating func add(_ row: [String?]) -> [String] {
        // NULL is not the text NULL, nor an empty one.
        let cells = row.map { cell in
            cell.map { $0 == "NULL" ? "'NULL'" : VisibleText.of($0) } ?? "NULL"
        }
        if widths != nil { return lines(of: cells) }
        first.append(cells)
        return first.count < Self.rowsThatDecide ? [] : begin()
    }

    /// The lines that are left.
    public mutating func end() -> [String] { widths == nil ? begin() : [] }

    private mutating func begin() -> [String] {
        let widths = names.indices.map { column in
            let cells = first.map { min($0[column].count, Self.widest) }.max() ?? 0
            return max(names[column].count, cells)
        }
        self.widths = widths
        let total = widths.reduce(0) { $0 + $1 + 2 } - 2
        isVertical = limit.map { total > $0 } ?? false
        let head =
            isVertical
            ? []
            : [line(names, numbersRight: true), widths.map { rule($0) }.joined(separator: "  ")]
        let rows = first
        first = []
        return (names.isEmpty ? [] : head) + rows.flatMap { lines(of: $0) }
    }

    private mutating func lines(of cells: [String]) -> [String] {
        count += 1
        guard isVertical else { return [line(cells, numbersRight: true)] }
        let width = names.map(\.count).max() ?? 0
        return ["-- \(count) --"]
            + zip(names, cells).map { name, cell in
                "\(name)\(space(width - name.count))  \(cell)"
            }
    }

    private func line(_ cells: [String], numbersRight: Bool) -> String {
        cells.indices.map { column in
            let space = space((widths?[column] ?? 0) - cells[column].count)
            return isNumeric[column] && numbersRight ? space + cells[column] : cells[column] + space
        }.joined(separator: "  ").trimmingRight()
    }

    private func space(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
    private func rule(_ count: Int) -> String { String(repeating: "-", count: count) }
}
