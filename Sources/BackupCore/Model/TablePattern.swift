/// What people write after `-tablename`: `users`, `sales.*`, `"odd.schema"."Odd ""table"""`.
///
/// Names are as stored, without case folding. Double quotes around a part take it literally;
/// outside them `*` stands for any characters and `?` for one. Without a schema the database's
/// default schema is meant.
public struct TablePattern: Sendable, Hashable {
    /// One element of a part: a literal character or a wildcard.
    ///
    /// Characters are Unicode scalars: a dot or a quote under an accent is still a dot or a quote.
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
            schema.map { Self.match($0, Array(table.schema.unicodeScalars)) }
            ?? table.schema.isExactly(defaultSchema)
        return isInSchema && Self.match(name, Array(table.name.unicodeScalars))
    }

    /// The one table that is meant: its schema, where there is one, and its name.
    ///
    /// Nil when the pattern holds a wildcard.
    public var literal: (schema: String?, name: String)? {
        guard let name = Self.text(of: name) else { return nil }
        guard let schema else { return (nil, name) }
        return Self.text(of: schema).map { ($0, name) }
    }

    private static func text(of elements: [Element]) -> String? {
        var scalars = String.UnicodeScalarView()
        for element in elements {
            guard case .literal(let scalar) = element else { return nil }
            scalars.append(scalar)
        }
        return String(scalars)
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
            throw BackupError(
                .usage, "table name has an open quote: \(text)",
                hint: "A name that holds a double quote is written as \(TableName.written(text)).")
        }
        return parts
    }

    /// Goes back to the last `*` only, which then takes one character more: what the ones before it
    /// took cannot help, so that the work is at most pattern times text.
    private static func match(_ pattern: [Element], _ text: [Unicode.Scalar]) -> Bool {
        var (position, element) = (0, 0)
        var lastStar: (position: Int, element: Int)?
        while position < text.count {
            let next = element < pattern.count ? pattern[element] : nil
            if next == .anyCharacters {
                lastStar = (position, element)
                element += 1
            } else if next == .anyCharacter || next == .literal(text[position]) {
                position += 1
                element += 1
            } else if let star = lastStar {
                lastStar = (star.position + 1, star.element)
                position = star.position + 1
                element = star.element + 1
            } else {
                return false
            }
        }
        return pattern[element...].allSatisfy { $0 == .anyCharacters }
    }
}
