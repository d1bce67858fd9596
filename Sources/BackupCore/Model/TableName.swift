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
    /// Byte by byte, as servers do: Swift's own texts are equal when they look the same, and
    /// `é` in one character and in two are two tables.
    public static func == (left: TableName, right: TableName) -> Bool {
        left.schema.utf8.elementsEqual(right.schema.utf8)
            && left.name.utf8.elementsEqual(right.name.utf8)
    }

    /// Takes the bytes, as `==` does.
    public func hash(into hasher: inout Hasher) {
        for byte in schema.utf8 { hasher.combine(byte) }
        hasher.combine(UInt8(0))
        for byte in name.utf8 { hasher.combine(byte) }
    }

    /// By schema, then by name, byte by byte.
    public static func < (left: TableName, right: TableName) -> Bool {
        guard left.schema.utf8.elementsEqual(right.schema.utf8) else {
            return left.schema.utf8.lexicographicallyPrecedes(right.schema.utf8)
        }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
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
        return isPlain ? part : "\"\(part.replacing("\"", with: "\"\""))\""
    }
}
