import BackupCore

/// Which tables comments are on whose constraints these have from other tables alone.
///
/// An archive has no entry of such a constraint, and says only by a number of nothing what the comment needs.
///
/// - SeeAlso: `src/bin/pg_dump/pg_dump.c`: `dumpTableConstraintComment`.
struct PostgresArchiveComments {
    private let statements: [Int: [UInt8]]

    /// `script`: What `pg_restore --verbose --file=-` writes.
    init(script: [UInt8], of comments: Set<Int>) {
        statements = PostgresVerboseScript.texts(of: comments, in: script)
    }

    /// Nil for what is no comment on a constraint of a table.
    func table(of comment: Int, among entries: [PostgresArchive.Entry]) -> Int? {
        guard let statement = statements[comment],
            let commented = Self.commentedTable(in: statement)
        else { return nil }
        let table = PostgresPresence.asInList(commented)
        return entries.first { entry in
            guard entry.isRelation, entry.isA("TABLE") || entry.isA("FOREIGN TABLE"),
                let owner = entry.owner
            else { return false }
            return entry.name.isExactly("\(table.schema) \(table.name) \(owner)")
        }?.id
    }

    /// Reads `COMMENT ON CONSTRAINT positive ON sales.orders IS …`.
    private static func commentedTable(in statement: [UInt8]) -> TableName? {
        let words = Array(
            SQLTokens(statement).tokens.filter { !$0.isSpace }
                .drop { $0.keyword != "COMMENT" }.prefix(8))
        guard words.count == 8, words[1].keyword == "ON", words[2].keyword == "CONSTRAINT",
            words[4].keyword == "ON", words[6].isDot,
            let schema = words[5].identifier, let name = words[7].identifier
        else { return nil }
        return TableName(schema: schema, name: name)
    }
}
