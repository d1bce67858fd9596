/// Rows of text in aligned columns.
public struct TextTable {
    /// Where a column's text stands.
    public enum Alignment: Sendable {
        /// Text.
        case left
        /// Numbers.
        case right
    }

    private let columns: [(heading: String, alignment: Alignment)]
    private var rows: [[String]] = []

    /// A table with a heading over each column.
    public init(_ columns: [(heading: String, alignment: Alignment)]) {
        self.columns = columns
    }

    /// Adds a row: as many texts as there are columns; control characters are shown as escapes.
    public mutating func add(_ row: [String]) {
        precondition(row.count == columns.count)
        rows.append(row.map(VisibleText.of))
    }

    /// The lines, headings first.
    public var lines: [String] {
        let all = [columns.map(\.heading)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return columns[column].alignment == .left
                    ? row[column] + space : space + row[column]
            }
            return cells.joined(separator: "  ").trimmingRight()
        }
    }
}

extension String {
    func trimmingRight() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
