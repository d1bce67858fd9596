import BackupCore

/// What a restore writes into its target while it is under way, so that it can be gone on with.
///
/// It lies in a schema of its own and is gone when the restore is complete: a database that has
/// it holds an unfinished restore.
struct PostgresRestoreMark: Sendable {
    /// The schema of the mark.
    static let schema = "dbtool_restore"

    /// What is written down.
    struct Contents: Sendable {
        /// A table and how far it is.
        struct Table: Sendable {
            let treatment: TargetPlan.Treatment
            let isLoaded: Bool
        }

        let backup: String
        /// What was asked for, as words that can be compared.
        let request: String
        let chosen: Set<Int>
        let hasStructure: Bool
        let hasIndexes: Bool
        var tables: [TableName: Table] = [:]
    }

    // MARK: Reading

    /// What an interrupted restore left; nil when there was none.
    static func read(_ connection: PostgresConnection) async throws -> Contents? {
        let exists = try await connection.value(
            "SELECT pg_catalog.to_regclass('\(schema).restore') IS NOT NULL")
        guard exists == "t",
            let row = try await connection.rows(
                "SELECT backup, request, chosen, has_structure, has_indexes FROM \(schema).restore"
            ).first
        else { return nil }
        let rows = try await connection.rows(
            "SELECT schema, name, treatment, is_loaded FROM \(schema).tables")
        let tables = rows.map { row in
            (
                TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                Contents.Table(
                    treatment: TargetPlan.Treatment(rawValue: row[2] ?? "") ?? .create,
                    isLoaded: row[3] == "t")
            )
        }
        return Contents(
            backup: row[0] ?? "", request: row[1] ?? "",
            chosen: Set((row[2] ?? "").split(separator: " ").compactMap { Int($0) }),
            hasStructure: row[3] == "t", hasIndexes: row[4] == "t",
            tables: Dictionary(tables) { first, _ in first })
    }

    /// Whether a database holds an unfinished restore.
    static func isIn(_ connection: PostgresConnection) async throws -> Bool {
        try await connection.value(
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '\(schema)'") != nil
    }

    /// What was asked for, in words: only the same can be gone on with.
    static func words(_ request: TargetRequest) -> String {
        let tables = request.patterns.map(\.text).sorted().joined(separator: " ")
        let parts =
            [
                request.content.rawValue, "create=\(request.creates)", "tables=\(tables)",
                "as=\(request.newName?.text ?? "")",
                "existing=\(request.existing?.rawValue ?? "")", "clean=\(request.drops)",
                "no-owner=\(request.omitsOwners)", "no-privileges=\(request.omitsPrivileges)",
            ]
            // Marks of versions without this option go on as they are.
            + (request.omitsTablespaces ? ["no-tablespaces"] : [])
        return parts.joined(separator: " ")
    }

    // MARK: Writing

    /// The statements that leave the mark.
    static func statements(_ request: TargetRequest, _ plan: PostgresPlan) -> [String] {
        let chosen = plan.chosen.sorted().map(String.init).joined(separator: " ")
        let rows = plan.target.tables.map { name, table in
            "(\(SQLText.literal(name.schema)), \(SQLText.literal(name.name)), "
                + "\(SQLText.literal(table.treatment.rawValue)))"
        }
        return [
            "CREATE SCHEMA \(schema)",
            "REVOKE ALL ON SCHEMA \(schema) FROM PUBLIC",
            """
            CREATE TABLE \(schema).restore
              (backup text, request text, chosen text, has_structure boolean DEFAULT false,
               has_indexes boolean DEFAULT false)
            """,
            """
            CREATE TABLE \(schema).tables (schema text, name text, treatment text,
              is_loaded boolean DEFAULT false, PRIMARY KEY (schema, name))
            """,
            """
            INSERT INTO \(schema).restore VALUES
              (\(SQLText.literal(request.backup)), \(SQLText.literal(words(request))), '\(chosen)')
            """,
        ]
            + (rows.isEmpty
                ? [] : ["INSERT INTO \(schema).tables VALUES \(rows.joined(separator: ", "))"])
    }

    /// Says that the structure is there.
    static let structureIsMade = "UPDATE \(schema).restore SET has_structure = true"

    /// Says that the indexes and constraints of a table with another name are there.
    static let indexesAreMade = "UPDATE \(schema).restore SET has_indexes = true"

    /// Says that a table, by its name in the backup, is loaded.
    static func isLoaded(_ table: TableName) -> String {
        """
        UPDATE \(schema).tables SET is_loaded = true
        WHERE schema = \(SQLText.literal(table.schema)) AND name = \(SQLText.literal(table.name))
        """
    }

    /// Takes the mark away.
    static let removal = "DROP SCHEMA IF EXISTS \(schema) CASCADE"
}
