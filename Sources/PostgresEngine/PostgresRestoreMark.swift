import BackupCore
import Foundation

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
            /// Whether several connections have begun to commit its rows: some may be there without the others.
            let isHalfLoaded: Bool
            /// The transaction that has said last that it is loaded, as `xmin` shows it: where one connection has loaded
            /// it, all of its rows are of that one.
            var transaction: String?
        }

        let backup: String
        /// What was asked for, as words that can be compared.
        let request: String
        let chosen: Set<Int>
        /// Whether the structure is made one by one, and some of it may be there.
        var hasBegun = false
        let hasStructure: Bool
        let hasIndexes: Bool
        var tables: [TableName: Table] = [:]
        /// Whether it says which transactions have loaded tables.
        var knowsTransactions = true
        /// Whether the server has crashed since, which empties unlogged tables.
        var hasLostUnlogged = false
        /// Whether its rows may be changed where a publication sends all tables' changes.
        var isPublishable = true
        /// What is left out, for people; nil in marks of versions that did not write that down.
        var leftOut: [String]?
    }

    // MARK: Reading

    /// What an interrupted restore left; nil when there was none.
    ///
    /// Reading it runs nothing that somebody else has made in the database.
    /// - Throws: `BackupError.targetUnsuitable` when what has the mark's name is not to be trusted.
    static func read(_ connection: PostgresConnection) async throws -> Contents? {
        guard try await isIn(connection) else { return nil }
        let own = try await requireOwn(on: connection)
        let restores = try await PostgresPlainTable.rows(
            of: TableName(schema: schema, name: "restore"),
            columns: ["backup", "request", "chosen", "has_structure", "has_indexes"],
            on: connection)
        guard let row = restores.first else { throw foreign("an empty one") }
        // Marks of versions without this column go on as they are.
        let knowsTransactions = try await connection.value(columnOfTransactions) != nil
        let rows = try await PostgresPlainTable.rows(
            of: TableName(schema: schema, name: "tables"),
            columns: ["schema", "name", "treatment", "is_loaded"]
                + (knowsTransactions ? ["loaded_by"] : []), on: connection)
        let tables = rows.map { row in
            (
                TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                Contents.Table(
                    treatment: TargetPlan.Treatment(rawValue: row[2] ?? "") ?? .create,
                    isLoaded: row[3] == "t", isHalfLoaded: row[3] == nil,
                    transaction: knowsTransactions ? row[4] : nil)
            )
        }
        // Marks of versions without this table go on as they are.
        var hasLostUnlogged = false
        if own.contains("unlogged") {
            let unlogged = TableName(schema: schema, name: "unlogged")
            hasLostUnlogged = try await !PostgresPlainTable.holdsRows(unlogged, on: connection)
        }
        var leftOut: [String]?
        if own.contains("left_out") {
            leftOut = try await PostgresPlainTable.rows(
                of: TableName(schema: schema, name: "left_out"), columns: ["words"],
                on: connection
            ).compactMap { $0[0]?.removingPercentEncoding }
        }
        return Contents(
            backup: row[0] ?? "", request: row[1] ?? "",
            chosen: Set((row[2] ?? "").split(separator: " ").compactMap { Int($0) }),
            hasBegun: row[3] == nil, hasStructure: row[3] == "t", hasIndexes: row[4] == "t",
            tables: Dictionary(tables) { first, _ in first },
            knowsTransactions: knowsTransactions, hasLostUnlogged: hasLostUnlogged,
            isPublishable: try await connection.value(fullIdentity) != nil, leftOut: leftOut)
    }

    private static let columnOfTransactions = """
        SELECT 1 FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.to_regclass('\(schema).tables') AND attname = 'loaded_by'
          AND NOT attisdropped
        """

    private static let fullIdentity = """
        SELECT 1 FROM pg_catalog.pg_class
        WHERE oid = pg_catalog.to_regclass('\(schema).restore') AND relreplident = 'f'
        """

    /// Whoever may act for the restoring role anyway has left it, superusers among them, and nobody has made
    /// anything else of it: what it says decides what is loaded without a question, and it is written on.
    ///
    /// - Returns: The tables that it consists of.
    private static func requireOwn(on connection: PostgresConnection) async throws -> [String] {
        let rows = try await connection.rows(
            """
            SELECT c.relname, pg_catalog.pg_get_userbyid(coalesce(c.relowner, n.nspowner)),
                   pg_catalog.pg_has_role(n.nspowner, u.oid, 'USAGE')
                     AND (c.oid IS NULL OR pg_catalog.pg_has_role(c.relowner, u.oid, 'USAGE')),
                   c.relkind = 'r' AND NOT c.relhasrules AND NOT c.relhastriggers
                     AND NOT c.relrowsecurity AND NOT c.relhassubclass AND NOT c.relispartition
            FROM pg_catalog.pg_namespace n
            JOIN pg_catalog.pg_roles u ON u.rolname = current_user
            LEFT JOIN pg_catalog.pg_class c
              ON c.relnamespace = n.oid
                AND c.relname IN ('left_out', 'restore', 'tables', 'unlogged')
            WHERE n.nspname = '\(schema)' ORDER BY c.relname
            """)
        if let other = rows.first(where: { $0[2] != "t" }) {
            throw foreign("that of role \(other[1] ?? "")")
        }
        let names = rows.compactMap { $0[0] }
        guard Set(names).isSuperset(of: ["restore", "tables"]), rows.allSatisfy({ $0[3] == "t" })
        else {
            throw foreign("something else")
        }
        return names
    }

    private static func foreign(_ words: String) -> BackupError {
        BackupError(
            .targetUnsuitable,
            "the schema \(schema) is not the mark of a restore by this role, but \(words)",
            hint: """
                Go on with a restore as the role that began it, or look at what is in that schema, \
                and drop it: DROP SCHEMA \(schema) CASCADE;
                """)
    }

    /// Whether a database holds an unfinished restore.
    static func isIn(_ connection: PostgresConnection) async throws -> Bool {
        try await connection.value(
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '\(schema)'") != nil
    }

    /// What was asked for, in words: only the same can be gone on with.
    static func words(_ request: TargetRequest) -> String {
        // Marks of versions without the second option go on as they are.
        let own =
            ["no-privileges=\(request.omitsPrivileges)"]
            + (request.omitsTablespaces ? ["no-tablespaces"] : [])
        return RestoreWords(of: request, own).text
    }

    // MARK: Writing

    /// The statements that leave the mark.
    ///
    /// `plan`: What is asked for, with what the role turns out not to make: whoever goes on finds that out again.
    static func statements(_ request: TargetRequest, _ plan: PostgresPlan) -> [String] {
        let chosen = plan.chosen.sorted().map(String.init).joined(separator: " ")
        let rows = plan.target.tables.map { name, table in
            "(\(SQLText.literal(name.schema)), \(SQLText.literal(name.name)), "
                + "\(SQLText.literal(table.treatment.rawValue)))"
        }
        // The database need not have an encoding that has all of our letters, or all of its source's.
        let leftOut = plan.target.leftOut.compactMap { words in
            words.addingPercentEncoding(withAllowedCharacters: plain)
                .map { "(\(SQLText.literal($0)))" }
        }
        return [
            "CREATE SCHEMA \(schema)",
            "REVOKE ALL ON SCHEMA \(schema) FROM PUBLIC",
            """
            CREATE TABLE \(schema).restore
              (backup text, request text, chosen text, has_structure boolean DEFAULT false,
               has_indexes boolean DEFAULT false)
            """,
            rowIsIdentified,
            """
            CREATE TABLE \(schema).tables (schema text, name text, treatment text,
              is_loaded boolean DEFAULT false, loaded_by text, PRIMARY KEY (schema, name))
            """,
            "CREATE UNLOGGED TABLE \(schema).unlogged (is_there boolean)",
            unloggedIsThere,
            "CREATE TABLE \(schema).left_out (words text)",
            """
            INSERT INTO \(schema).restore VALUES
              (\(SQLText.literal(request.backup)), \(SQLText.literal(words(request))), '\(chosen)')
            """,
        ] + insertions(of: rows, into: "tables") + insertions(of: leftOut, into: "left_out")
    }

    /// What every encoding has, but for the sign that stands in front of the numbers of others.
    private static let plain = CharacterSet(charactersIn: " "..."~")
        .subtracting(CharacterSet(charactersIn: "%"))

    private static func insertions(of rows: [String], into table: String) -> [String] {
        rows.isEmpty
            ? [] : ["INSERT INTO \(schema).\(table) VALUES \(rows.joined(separator: ", "))"]
    }

    /// Says that from now on the structure is made one by one: some may be there without the rest.
    static let structureIsBegun = "UPDATE \(schema).restore SET has_structure = NULL"

    /// Says that the structure is there.
    static let structureIsMade = "UPDATE \(schema).restore SET has_structure = true"

    /// Says that the indexes and constraints of a table with another name are there.
    static let indexesAreMade = "UPDATE \(schema).restore SET has_indexes = true"

    /// A row that is lost when the rows of unlogged tables are.
    private static let unloggedIsThere = "INSERT INTO \(schema).unlogged VALUES (true)"

    /// Makes room in the mark of a version that did not write down transactions.
    static let transactionsAreKnown = "ALTER TABLE \(schema).tables ADD COLUMN loaded_by text"

    /// Lets the one row without a key be changed in a database that publishes changes of all tables, which the mark of a
    /// version that did not do so lacks.
    static let rowIsIdentified = "ALTER TABLE \(schema).restore REPLICA IDENTITY FULL"

    /// Says that a table, by its name in the backup, is loaded, and which transaction says so.
    static func isLoaded(_ table: TableName) -> String {
        loaded("true, loaded_by = pg_catalog.pg_current_xact_id()::xid::text", table)
    }

    /// Says that rows of a table are about to be committed by several connections.
    static func isHalfLoaded(_ table: TableName) -> String { loaded("NULL", table) }

    /// Says that tables of a plan have lost their rows in a crash, and what becomes of them.
    static func areLost(_ tables: [TableName], in plan: TargetPlan) -> [String] {
        let statements = tables.compactMap { name in
            plan.tables[name].map { table in
                let treatment = SQLText.literal(table.treatment.rawValue)
                return loaded("false, treatment = \(treatment)", name)
            }
        }
        return statements + [unloggedIsThere]
    }

    private static func loaded(_ value: String, _ table: TableName) -> String {
        """
        UPDATE \(schema).tables SET is_loaded = \(value)
        WHERE schema = \(SQLText.literal(table.schema)) AND name = \(SQLText.literal(table.name))
        """
    }

    /// Takes the mark away.
    static let removal = "DROP SCHEMA IF EXISTS \(schema) CASCADE"
}
