/// Rows as they come, in aligned columns, or one value below the other where they are too wide.
///
/// The first rows decide how wide the columns are; a later value that is wider shifts its line.
public struct ResultTable {
    private static let rowsThatDecide = 200
    /// Wider values do not make their column wider.
    private static let widest = 60

    /// A value as it is shown.
    private struct Cell {
        let text: String
        let width: Int
        let isNull: Bool

        init(_ value: String?) {
            text = ValueText.of(value)
            width = TextWidth.of(text)
            isNull = value == nil
        }
    }

    private let names: [Cell]
    private let isNumeric: [Bool]
    private let limit: Int?
    private let style: TextStyle
    private var first: [[Cell]] = []
    private var widths: [Int]?
    private var isVertical = false
    private var count = 0

    /// A table of these columns, for a terminal of so many; nil for any width.
    public init(
        _ columns: [(name: String, isNumeric: Bool)], width: Int?, style: TextStyle = .plain
    ) {
        names = columns.map { Cell(VisibleText.of($0.name)) }
        isNumeric = columns.map(\.isNumeric)
        limit = width
        self.style = style
    }

    /// Adds a row, nil being NULL; the lines that can be shown now.
    public mutating func add(_ row: [String?]) -> [String] {
        let cells = row.map { Cell($0) }
        if widths != nil { return lines(of: cells) }
        first.append(cells)
        return first.count < Self.rowsThatDecide ? [] : begin()
    }

    /// The lines that are left.
    public mutating func end() -> [String] { widths == nil ? begin() : [] }

    private mutating func begin() -> [String] {
        let widths = names.indices.map { column in
            let cells = first.map { min($0[column].width, Self.widest) }.max() ?? 0
            return max(names[column].width, cells)
        }
        self.widths = widths
        let total = widths.reduce(0) { $0 + $1 + 2 } - 2
        isVertical = limit.map { total > $0 } ?? false
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        let head = isVertical ? [] : [line(names, style.strong), style.faint(rule)]
        let rows = first
        first = []
        return (names.isEmpty ? [] : head) + rows.flatMap { lines(of: $0) }
    }

    private mutating func lines(of cells: [Cell]) -> [String] {
        count += 1
        guard isVertical else { return [line(cells) { $0 }] }
        let width = names.map(\.width).max() ?? 0
        return [style.faint("-- \(count) --")]
            + zip(names, cells).map { name, cell in
                "\(style.strong(name.text))\(space(width - name.width))  \(shown(cell) { $0 })"
            }
    }

    private func line(_ cells: [Cell], _ emphasis: (String) -> String) -> String {
        cells.indices.map { column in
            let space = space((widths?[column] ?? 0) - cells[column].width)
            let text = shown(cells[column], emphasis)
            return isNumeric[column] ? space + text : text + space
        }.joined(separator: "  ").trimmingRight()
    }

    private func shown(_ cell: Cell, _ emphasis: (String) -> String) -> String {
        cell.isNull ? style.faint(cell.text) : emphasis(cell.text)
    }

    private func space(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
