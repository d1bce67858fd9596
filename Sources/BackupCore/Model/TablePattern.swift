/// What people write after `-tablename`: `users`, `sales.*`, `"odd.schema"."Odd ""table"""`.
///
/// Names are as stored, without case folding. Double quotes around a part take it literally;
/// outside them `*` stands for any characters and `?` for one. Without a schema the database's
/// default schema is meant.
public struct TablePattern: Sendable, Hashable {
    /// One element of a part: a literal character (a Unicode scalar) or a wildcard.
    private enum Element: Hashable {
        case literal(Unicode.Scalar)
        case anyCharacters
        case anyCharacter
    }

    /// As it was written.
    public let text: String
    private let schema: [Element]?
    private let name: [Element]

    /// Reads a pattern.
    ///
    /// - Throws: `BackupError.usage` for an open quote, an empty part or more than two parts.
    public init(_ text: String) throws {
        self.text = text
        let parts = try Self.parts(of: text)
        guard let name = parts.last, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw BackupError(
                .usage, "table name is not understood: \(text)",
                hint:
                    "Write table or schema.table, with double quotes around a part that holds a dot."
            )
        }
        self.name = name
        self.schema = parts.count == 2 ? parts.first : nil
    }

    /// Whether the pattern means this table.
    public func matches(_ table: TableName, defaultSchema: String) -> Bool {
        let isInSchema =
            schema.map { Self.match($0[...], Array(table.schema.unicodeScalars)[...]) }
            ?? table.schema.isExactly(defaultSchema)
        return isInSchema && Self.match(name[...], Array(table.name.unicodeScalars)[...])
    }

    private static func parts(of text: String) throws -> [[Element]] {
        var parts: [[Element]] = [[]]
        var isQuoted = false
        var characters = Array(text.unicodeScalars)[...]
        while let character = characters.popFirst() {
            switch (character, isQuoted) {
            case ("\"", true) where characters.first == "\"":
                characters.removeFirst()
                parts[parts.count - 1].append(.literal("\""))
            case ("\"", _): isQuoted.toggle()
            case (".", false): parts.append([])
            case ("*", false): parts[parts.count - 1].append(.anyCharacters)
            case ("?", false): parts[parts.count - 1].append(.anyCharacter)
            default: parts[parts.count - 1].append(.literal(character))
            }
        }
        guard !isQuoted else {
            throw BackupError(.usage, "table name has an open quote: \(text)")
        }
        return parts
    }

    private static func match(
        _ pattern: ArraySlice<Element>, _ text: ArraySlice<Unicode.Scalar>
    ) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        switch first {
        case .literal(let character):
            return text.first == character && match(pattern.dropFirst(), text.dropFirst())
        case .anyCharacter:
            return !text.isEmpty && match(pattern.dropFirst(), text.dropFirst())
        case .anyCharacters:
            return (text.startIndex...text.endIndex).contains {
                match(pattern.dropFirst(), text[$0...])
            }
        }
    }
}
