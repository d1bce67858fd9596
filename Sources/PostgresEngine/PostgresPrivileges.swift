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
                  ALTER ROLE \(SQLText.identifier(user)) BYPASSRLS;
                """)
    }

    /// Sequences whose position cannot be read.
    static func missing(sequences: [TableName], for user: String) -> BackupError {
        let role = SQLText.identifier(user)
        let statements = sequences.prefix(50).map {
            "  GRANT SELECT ON SEQUENCE \(SQLText.qualified($0)) TO \(role);"
        }
        return BackupError(
            .permissionDenied,
            "role \(user) may not read sequence \(list(sequences.map { "\($0)" }))",
            hint: "Run as their owner:\n" + statements.joined(separator: "\n"))
    }

    /// Large objects that cannot be read.
    static func missing(largeObjects: [String], for user: String) -> BackupError {
        let role = SQLText.identifier(user)
        let statements = largeObjects.prefix(50).map {
            "  GRANT SELECT ON LARGE OBJECT \($0) TO \(role);"
        }
        return BackupError(
            .permissionDenied, "role \(user) may not read large object \(list(largeObjects))",
            hint: "Run as their owner:\n" + statements.joined(separator: "\n"))
    }

    private static func grants(_ tables: [PostgresCatalog.Relation], _ user: String) -> String {
        let role = SQLText.identifier(user)
        let schemas = Set(tables.filter { !$0.maySeeSchema }.map(\.name.schema)).sorted().map {
            "  GRANT USAGE ON SCHEMA \(SQLText.identifier($0)) TO \(role);"
        }
        let selects = tables.filter { !$0.mayRead }.prefix(50).map {
            "  GRANT SELECT ON TABLE \(SQLText.qualified($0.name)) TO \(role);"
        }
        let rest = tables.count > 50 ? ["  … and \(tables.count - 50) more"] : []
        let lines = ["Run as their owner:"] + schemas + selects + rest
        return (lines + ["or leave them out with --skip-unreadable."]).joined(separator: "\n")
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).joined(separator: ", ")
        return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
    }
}
