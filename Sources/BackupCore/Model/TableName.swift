/// A table's schema and name, as stored: no case folding, no quotes, equal only byte by byte.
public struct TableName: Sendable, Codable {
    /// The schema (on MySQL the database).
    public var schema: String
    /// The table's own name.
    public var name: String

    /// Names a table.
    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }
}

extension TableName: Hashable, Comparable {
    /// Whether both have the same bytes.
    public static func == (left: TableName, right: TableName) -> Bool {
        left.schema.isExactly(right.schema) && left.name.isExactly(right.name)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ExactText(schema))
        hasher.combine(ExactText(name))
    }

    /// By schema, then by name, byte by byte.
    public static func < (left: TableName, right: TableName) -> Bool {
        left.schema.isExactly(right.schema)
            ? left.name.precedesExactly(right.name) : left.schema.precedesExactly(right.schema)
    }
}

extension TableName: CustomStringConvertible {
    /// As it is written on the command line: `schema.table`, with quotes where a part needs them.
    public var description: String {
        "\(Self.written(schema)).\(Self.written(name))"
    }

    /// A schema or a table as `TablePattern` reads it, with quotes where it needs them.
    static func written(_ part: String) -> String {
        let isPlain =
            !part.isEmpty
            && part.unicodeScalars.allSatisfy { !".\"*? ".unicodeScalars.contains($0) }
        return isPlain ? part : "\"\(part.replacing(scalar: "\"", with: "\"\""))\""
    }
}
