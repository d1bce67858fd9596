import BackupCore

/// What a role lacks for a backup, and the statements that give it.
enum PostgresPrivileges {
    /// All tables that cannot be read, in one error.
    static func missing(
        _ tables: [PostgresCatalog.Relation], for user: String
    ) -> BackupError {
        BackupError(
            .permissionDenied,
            "role \(user) may not read \(list(tables.map { "\($0.name)" }))",
            hint: grants(tables, user))
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

    /// Sequences whose position cannot be read.
    static func missing(
        sequences: [PostgresSequences.Sequence], for user: String
    ) -> BackupError {
        BackupError(
            .permissionDenied,
            "role \(user) may not read sequence \(list(sequences.map { "\($0.name)" }))",
            hint: hint(statements(sequences: sequences, for: user)))
    }

    /// Large objects that cannot be read.
    static func missing(largeObjects: [String], for user: String) -> BackupError {
        BackupError(
            .permissionDenied, "role \(user) may not read large object \(list(largeObjects))",
            hint: hint(statements(largeObjects: largeObjects, for: user)))
    }

    private static func grants(_ tables: [PostgresCatalog.Relation], _ user: String) -> String {
        hint(statements(tables: tables, for: user)) + "\nor leave them out with --skip-unreadable."
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
