import Terminal

/// Names and values below each other.
struct FieldList {
    let lines: [String]

    typealias Field = (name: String, value: String)

    init(_ fields: [Field]) {
        let width = fields.map(\.name.count).max() ?? 0
        lines = fields.map { name, value in
            let space = String(repeating: " ", count: width - name.count)
            return "  \(name)\(space)  \(VisibleText.of(value))"
        }
    }
}
