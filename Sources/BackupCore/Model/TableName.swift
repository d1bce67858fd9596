/// A table's schema and name, as stored: no case folding, no quotes.
public struct TableName: Hashable, Sendable, Codable {
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

extension TableName: Comparable {
    /// Byte by byte: texts that Swift takes for equal (`é` in one scalar or in two) name two tables.
    public static func == (left: TableName, right: TableName) -> Bool {
        left.schema.utf8.elementsEqual(right.schema.utf8)
            && left.name.utf8.elementsEqual(right.name.utf8)
    }

    /// By schema, then by name, byte by byte.
    public static func < (left: TableName, right: TableName) -> Bool {
        guard left.schema.utf8.elementsEqual(right.schema.utf8) else {
            return left.schema.utf8.lexicographicallyPrecedes(right.schema.utf8)
        }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }

    /// Agrees with `==`: equal bytes have equal characters.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(schema)
        hasher.combine(name)
    }
}

extension TableName: CustomStringConvertible {
    /// As it is written on the command line: `schema.table`, with quotes where a part needs them.
    public var description: String {
        "\(Self.quotedIfNeeded(schema)).\(Self.quotedIfNeeded(name))"
    }

    private static func quotedIfNeeded(_ part: String) -> String {
        let isPlain =
            !part.isEmpty
            && part.unicodeScalars.allSatisfy { !".\"*? ".unicodeScalars.contains($0) }
        return isPlain ? part : "\"\(part.replacing(scalar: "\"", with: "\"\""))\""
    }
}
