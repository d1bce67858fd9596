import BackupCore

/// The types that a script of pg_restore makes, the rows of its tables among them.
///
/// - SeeAlso: `dumpDomain`, `dumpRangeType`, `dumpCompositeType` and `dumpTableSchema` in `src/bin/pg_dump/pg_dump.c`.
struct PostgresTypeDefinitions: Sendable {
    /// What is left of a piece of SQL, with its spaces.
    private struct Words {
        var rest: ArraySlice<SQLTokens.Token>

        mutating func next() -> SQLTokens.Token? {
            rest = rest.drop { $0.isSpace }
            return rest.popFirst()
        }

        /// A name with its schema.
        mutating func name() -> TableName? {
            guard let schema = next()?.identifier, let dot = next(), dot.isDot,
                let name = next()?.identifier
            else { return nil }
            return TableName(schema: schema, name: name)
        }
    }

    /// A table as its statement makes it.
    struct Row: Sendable {
        let name: TableName
        /// What it inherits from, or the type that it is of.
        let parents: [TableName]
        /// The columns that the statement names.
        let own: [PostgresTypeShape.Attribute]
    }

    /// What the types were in the source.
    private(set) var shapes: [TableName: PostgresTypeShape] = [:]
    /// Those whose statement is one that nobody knows, or does not say in which order the columns were.
    private(set) var unknown: Set<TableName> = []
    /// The range of each multirange: both are made together.
    private(set) var ranges: [TableName: TableName] = [:]
    /// The tables, what others inherit from first.
    private(set) var rows: [Row] = []
    private let stored: [TableName: [PostgresTypeShape.Attribute]]

    /// Reads the statements of a script, which name those columns first that a table inherits, wherever they were.
    ///
    /// `stored`: The columns of tables as the source had them.
    init(
        _ script: PostgresScript, stored: [TableName: [PostgresTypeShape.Attribute]] = [:]
    ) {
        self.stored = stored
        let tokens = SQLTokens(script.bytes).tokens.filter { !$0.bytes.starts(with: "--".utf8) }
        for statement in tokens.split(whereSeparator: { $0.bytes == [UInt8(ascii: ";")] }) {
            read(Words(rest: statement))
        }
    }

    private mutating func read(_ statement: Words) {
        var words = statement
        guard words.next()?.keyword == "CREATE", var kind = words.next()?.keyword else { return }
        if Self.kindsOfRelations.contains(kind), let next = words.next()?.keyword { kind = next }
        guard Self.kinds.contains(kind), let name = words.name() else { return }
        let row = kind == "TABLE" ? Self.row(name, words) : nil
        if let row { rows.append(row) }
        guard let shape = row.flatMap({ source($0) }) ?? Self.shape(kind, words) else {
            unknown.insert(name)
            return
        }
        shapes[name] = shape
        guard case .range = shape, let tokens = Self.value(of: "MULTIRANGE_TYPE_NAME", in: words)
        else { return }
        var multirange = Words(rest: tokens)
        guard let multiple = multirange.name() else { return }
        shapes[multiple] = shape
        ranges[multiple] = name
    }

    private static let kinds = ["DOMAIN", "TYPE", "TABLE", "VIEW"]
    /// What may stand before `TABLE` or `VIEW`.
    private static let kindsOfRelations = ["UNLOGGED", "FOREIGN", "MATERIALIZED"]

    /// Nil where a statement does not say it: that of a view has a query.
    private static func shape(_ kind: String, _ statement: Words) -> PostgresTypeShape? {
        switch kind {
        case "DOMAIN": domain(statement)
        case "TYPE": type(statement)
        default: nil
        }
    }

    /// What a table was; nil where it had columns of its own among those that it inherits, and its rows are not stored.
    private func source(_ row: Row) -> PostgresTypeShape? {
        if let columns = stored[row.name] { return .composite(columns) }
        guard let parent = row.parents.first else { return .composite(row.own) }
        return row.own.isEmpty && row.parents.count == 1 ? shapes[parent] : nil
    }

    // MARK: What is used

    /// The type in `sales.price[]` that somebody has made; nil for those of the server, which have no schema.
    static func name(in type: String) -> TableName? {
        var words = Words(rest: SQLTokens(type).tokens[...])
        return words.name()
    }

    /// Some types, and those that they are made of, at any depth.
    func withParts(_ types: Set<TableName>) -> Set<TableName> {
        var found = types
        var open = Array(types)
        while let type = open.popLast() {
            let parts = (shapes[type]?.types ?? []).compactMap { Self.name(in: $0) }
            for part in parts where found.insert(part).inserted { open.append(part) }
        }
        return found
    }

    // MARK: Statements

    /// Reads `AS numeric(10,4) DEFAULT 1 CONSTRAINT …`.
    private static func domain(_ statement: Words) -> PostgresTypeShape? {
        var words = statement
        guard words.next()?.keyword == "AS", let base = typeText(words.rest) else { return nil }
        return .domain(base: base)
    }

    /// Reads `AS ENUM (…)`, `AS RANGE (subtype = date, …)`, `AS (a integer, …)`, or the functions of a base type.
    private static func type(_ statement: Words) -> PostgresTypeShape? {
        var words = statement
        guard words.next()?.keyword == "AS" else { return .other }
        let definition = words.rest
        guard let kind = words.next()?.keyword else { return composite(definition) }
        guard kind == "RANGE" else { return kind == "ENUM" ? .other : nil }
        return value(of: "SUBTYPE", in: words).flatMap(typeText).map { type in
            PostgresTypeShape.range(subtype: type)
        }
    }

    private static func composite(_ tokens: ArraySlice<SQLTokens.Token>) -> PostgresTypeShape? {
        guard let parts = elements(of: tokens) else { return nil }
        var attributes: [PostgresTypeShape.Attribute] = []
        for part in parts where !part.allSatisfy({ $0.isSpace }) {
            var words = Words(rest: part)
            guard let name = words.next()?.identifier, let type = typeText(words.rest) else {
                return nil
            }
            attributes.append(.init(name: name, type: type))
        }
        return .composite(attributes)
    }

    /// Reads `(a integer NOT NULL, CONSTRAINT …) INHERITS (public.b)`, or `OF public.c`.
    private static func row(_ name: TableName, _ statement: Words) -> Row? {
        var words = statement
        if words.next()?.keyword == "OF" {
            return words.name().map { Row(name: name, parents: [$0], own: []) }
        }
        guard let parts = elements(of: statement.rest), let end = parts.last?.endIndex,
            let parents = Self.parents(statement.rest[end...].dropFirst())
        else { return nil }
        var own: [PostgresTypeShape.Attribute] = []
        for element in parts where !element.allSatisfy({ $0.isSpace }) {
            var words = Words(rest: element)
            guard let first = words.next() else { continue }
            if first.keyword.map(Self.constraints.contains) ?? false { continue }
            guard let name = first.identifier, let type = typeText(words.rest) else { return nil }
            own.append(.init(name: name, type: type))
        }
        return Row(name: name, parents: parents, own: own)
    }

    /// The tables that a table inherits from; nil where nobody knows their names.
    private static func parents(_ tokens: ArraySlice<SQLTokens.Token>) -> [TableName]? {
        var words = Words(rest: tokens)
        guard words.next()?.keyword == "INHERITS" else { return [] }
        var parents: [TableName] = []
        for element in elements(of: words.rest) ?? [] {
            var parent = Words(rest: element)
            guard let name = parent.name() else { return nil }
            parents.append(name)
        }
        return parents
    }

    /// What stands behind `setting =` in parentheses.
    private static func value(
        of setting: String, in statement: Words
    ) -> ArraySlice<SQLTokens.Token>? {
        for element in elements(of: statement.rest) ?? [] {
            var words = Words(rest: element)
            guard words.next()?.keyword == setting, words.next()?.bytes == [UInt8(ascii: "=")]
            else { continue }
            return words.rest
        }
        return nil
    }

    /// What stands in parentheses, divided at its commas.
    private static func elements(
        of tokens: ArraySlice<SQLTokens.Token>
    ) -> [ArraySlice<SQLTokens.Token>]? {
        let (opening, closing) = ([UInt8(ascii: "(")], [UInt8(ascii: ")")])
        guard let open = tokens.firstIndex(where: { $0.bytes == opening }) else { return nil }
        var elements: [ArraySlice<SQLTokens.Token>] = []
        var (depth, start) = (0, open + 1)
        for index in tokens[start...].indices {
            let token = tokens[index]
            if token.bytes == opening { depth += 1 }
            if token.bytes == closing { depth -= 1 }
            if depth < 0 { return elements + [tokens[start..<index]] }
            guard depth == 0, token.isComma else { continue }
            elements.append(tokens[start..<index])
            start = index + 1
        }
        return nil
    }

    /// What the parts of a table begin with that are no columns.
    private static let constraints = ["CONSTRAINT", "NOT", "CHECK"]

    /// What may follow a type; without a dot beside it, none of it is a name without quotes.
    private static let ends = [
        "COLLATE", "CONSTRAINT", "NOT", "NULL", "DEFAULT", "CHECK", "GENERATED", "OPTIONS",
    ]

    /// The type that SQL begins with: pg_dump has it from `format_type`.
    private static func typeText(_ tokens: ArraySlice<SQLTokens.Token>) -> String? {
        let rest = tokens.drop { $0.isSpace }
        let end = rest.indices.first { index in
            rest[index].keyword.map(ends.contains) ?? false && !rest[..<index].isInName
                // A schema of that name: pg_dump writes only reserved words in quotes.
                && !(rest[(index + 1)...].first?.isDot ?? false)
        }
        var own = rest[..<(end ?? rest.endIndex)]
        while own.last?.isSpace ?? false { own.removeLast() }
        guard own.first?.identifier != nil else { return nil }
        return String(decoding: own.flatMap(\.bytes), as: UTF8.self)
    }
}

extension ArraySlice<SQLTokens.Token> {
    /// Whether what follows is the second half of a name with its schema.
    fileprivate var isInName: Bool { last?.isDot ?? false }
}
