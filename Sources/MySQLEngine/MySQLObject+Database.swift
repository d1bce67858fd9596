import BackupCore

/// Statements without the name of their own database, so that they mean the one that they are restored into.
///
/// A default may count by a sequence; and a view that shows tables of two databases, or calls a function, names
/// its own too.
extension MySQLObject {
    /// A statement as the server prints it, without the database where a name stands for one.
    ///
    /// The same name may be a table's, an alias's or a column's: what it is, the place tells.
    static func withoutDatabase(_ statement: String, _ database: String) -> String {
        guard statement.contains(MySQLText.identifier(database) + ".") else { return statement }
        let all = MySQLTokens(statement).tokens
        let places = all.indices.filter { all[$0].isCode }
        let tokens = places.map { all[$0] }
        var left: Set<Int> = []
        for index in tokens.indices.dropLast(2)
        where tokens[index].kind == .quotedIdentifier && tokens[index + 1].isSign(".")
            && tokens[index].identifier?.isExactly(database) ?? false
            && (index == 0 || !tokens[index - 1].isSign("."))
            && isDatabase(index, in: tokens)
        {
            left.formUnion([places[index], places[index + 1]])
        }
        let kept = all.enumerated().filter { !left.contains($0.offset) }
        return String(decoding: kept.flatMap(\.element.bytes), as: UTF8.self)
    }

    /// Whether the first of names with dots between them is a database.
    private static func isDatabase(_ index: Int, in tokens: [MySQLTokens.Token]) -> Bool {
        // `db`.`table`.`column`, and `db`.`function`(…)
        if index + 3 < tokens.count, tokens[index + 3].isSign(".") || tokens[index + 3].isSign("(")
        {
            return true
        }
        // Else it is the table of a column, unless what it stands behind takes tables or sequences.
        var before = index - 1
        while before >= 0, tokens[before].isSign("(") {
            before -= 1
            if before >= 0, let word = tokens[before].keyword, takesSequence.contains(word) {
                return true
            }
        }
        guard before >= 0, let word = tokens[before].keyword else { return false }
        return takesTable.contains(word) && !(word == "FROM" && takesValue(before, in: tokens))
    }

    /// Whether a `FROM` is that of `EXTRACT(YEAR FROM …)` or `TRIM(… FROM …)`.
    private static func takesValue(_ index: Int, in tokens: [MySQLTokens.Token]) -> Bool {
        var (before, depth) = (index - 1, 0)
        while before > 0 {
            if tokens[before].isSign(")") { depth += 1 }
            if tokens[before].isSign("(") {
                guard depth > 0 else {
                    return tokens[before - 1].keyword.map(takesValueFrom.contains) ?? false
                }
                depth -= 1
            }
            before -= 1
        }
        return false
    }

    /// The sequences that a statement counts by.
    static func sequences(in statement: String) -> Set<ExactText> {
        let tokens = MySQLTokens(statement).tokens.filter(\.isCode)
        var found: Set<ExactText> = []
        for index in tokens.indices
        where tokens[index].keyword.map(takesSequence.contains) ?? false {
            let argument = tokens[(index + 1)...].drop { $0.isSign("(") }
                .prefix { $0.identifier != nil || $0.isSign(".") }
            if let name = argument.last?.identifier { found.insert(ExactText(name)) }
        }
        return found
    }

    private static let takesTable: Set<String> = ["FROM", "JOIN", "STRAIGHT_JOIN", "FOR"]
    private static let takesValueFrom: Set<String> = [
        "EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID",
    ]
    private static let takesSequence: Set<String> = ["NEXTVAL", "LASTVAL", "SETVAL"]
}
