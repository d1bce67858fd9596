import BackupCore

/// What a role lacks for a backup, and the statements that give it.
enum PostgresPrivileges {
    /// Everything that cannot be read, in one error.
    ///
    /// `maySkip`: Whether tables can be left out instead.
    static func missing(
        tables: [PostgresCatalog.Relation] = [], sequences: [PostgresSequences.Sequence] = [],
        largeObjects: [String] = [], for user: String, maySkip: Bool = false
    ) -> BackupError {
        let things =
            tables.map { "\($0.name)" } + sequences.map { "sequence \($0.name)" }
            + largeObjects.map { "large object \($0)" }
        let grants =
            statements(tables: tables, for: user) + statements(sequences: sequences, for: user)
            + statements(largeObjects: largeObjects, for: user)
        let isMore = things.count > tables.count
        let way = "\nor leave \(isMore ? "the tables" : "them") out with --skip-unreadable."
        return BackupError(
            .permissionDenied, "role \(user) may not read \(list(things))",
            hint: hint(unique(grants)) + (tables.isEmpty || !maySkip ? "" : way))
    }

    /// Tables whose rows row-level security hides.
    static func hidden(_ tables: [TableName], from user: String) -> BackupError {
        BackupError(
            .permissionDenied,
            "row-level security hides rows from role \(user) in \(list(tables.map { "\($0)" }))",
            hint: """
                Back up as the tables' owner, as a superuser, or run as a superuser:
                  \(bypass(for: user))
                """)
    }

    private static func hint(_ statements: [String]) -> String {
        let rest = statements.count > 50 ? ["  … and \(statements.count - 50) more"] : []
        let lines = statements.prefix(50).map { "  \($0)" } + rest
        return (["Run as their owner:"] + lines).joined(separator: "\n")
    }

    // MARK: The statements

    /// All that a role lacks to read tables.
    static func statements(
        tables: [PostgresCatalog.Relation], for user: String
    ) -> [String] {
        let role = SQLText.identifier(user)
        return usage(of: tables.filter { !$0.maySeeSchema }.map(\.name), for: user)
            + tables.filter { !$0.mayRead }.map {
                "GRANT SELECT ON TABLE \(SQLText.qualified($0.name)) TO \(role);"
            }
    }

    /// All that a role lacks to read sequences.
    static func statements(
        sequences: [PostgresSequences.Sequence], for user: String
    ) -> [String] {
        let role = SQLText.identifier(user)
        return usage(of: sequences.filter { !$0.maySeeSchema }.map(\.name), for: user)
            + sequences.filter { !$0.mayRead }.map {
                "GRANT SELECT ON SEQUENCE \(SQLText.qualified($0.name)) TO \(role);"
            }
    }

    /// All that a role lacks to read large objects.
    static func statements(largeObjects: [String], for user: String) -> [String] {
        largeObjects.map {
            "GRANT SELECT ON LARGE OBJECT \($0) TO \(SQLText.identifier(user));"
        }
    }

    /// Each once: a schema may hold tables and sequences.
    static func unique(_ statements: [String]) -> [String] {
        var seen: Set<ExactText> = []
        return statements.filter { seen.insert(ExactText($0)).inserted }
    }

    /// What lets a role read rows that policies hide.
    static func bypass(for user: String) -> String {
        "ALTER ROLE \(SQLText.identifier(user)) BYPASSRLS;"
    }

    /// What gives a role the tables or sequences that `owner` will make in a schema.
    static func future(_ things: String, of owner: String, in schema: String, for user: String)
        -> String
    {
        "ALTER DEFAULT PRIVILEGES FOR ROLE \(SQLText.identifier(owner)) IN SCHEMA "
            + "\(SQLText.identifier(schema)) GRANT SELECT ON \(things) "
            + "TO \(SQLText.identifier(user));"
    }

    private static func usage(of names: [TableName], for user: String) -> [String] {
        Set(names.map(\.schema)).sorted().map {
            "GRANT USAGE ON SCHEMA \(SQLText.identifier($0)) TO \(SQLText.identifier(user));"
        }
    }

    /// The first of many names.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).joined(separator: ", ")
        return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
    }
}
