import Terminal

/// Names and values below each other.
struct FieldList {
    let lines: [String]

    init(_ fields: [(name: String, value: String)]) {
        let width = fields.map(\.name.count).max() ?? 0
        lines = fields.map { name, value in
            let space = String(repeating: " ", count: width - name.count)
            return "  \(name)\(space)  \(VisibleText.of(value))"
        }
    }
}
