import BackupCore

/// What a restore writes into its target while it is under way, so that it can be gone on with.
///
/// A table that is gone when the restore is complete: a database that has it holds an unfinished
/// restore.
struct MySQLRestoreMark: Sendable {
    static let table = "dbtool_restore"

    /// Its table, as statements name it.
    private static func place(in database: String) -> String {
        MySQLText.qualified(TableName(schema: database, name: table))
    }

    /// What is written down.
    struct Contents: Sendable {
        let backup: String
        /// What was asked for, as words that can be compared.
        let request: String
        /// What is made, as `MySQLRestoreMark.label(of:)`.
        let chosen: Set<ExactText>
        let tables: [ExactText: Table]
        /// What is still to be dropped, before anything is made: nothing, once all of it is gone.
        let drops: [MySQLObject]
        /// The database's own collation, where it may have another one for a moment.
        let collation: String?

        /// A table and how far it is.
        struct Table: Sendable {
            let treatment: TargetPlan.Treatment
            let isLoaded: Bool
            /// Whether a part of its rows may be there, as they were not to come in one transaction.
            let isBegun: Bool
        }
    }

    // MARK: Reading

    /// What an interrupted restore left; nil when there was none.
    ///
    /// - Throws: `BackupError.targetUnsuitable` for something else of its name. A view would call functions of whoever made
    ///   it, with all that the restoring account may do.
    static func read(
        _ connection: MySQLConnection, database: String
    ) async throws -> Contents? {
        let kind = try await connection.rows(
            """
            SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND \(MySQLText.isName("TABLE_NAME", table))
            """
        ).first
        if let kind, kind[0] != "BASE TABLE" || kind[1]?.lowercased() != "innodb" {
            throw impostor(in: database)
        }
        let rows: [[String?]]
        do {
            // A view that has taken its place since has no index, which the server says before it looks into the view.
            rows = try await connection.rows(
                "SELECT what, name, value FROM \(place(in: database)) FORCE INDEX (PRIMARY)")
        } catch let error as MySQLError where error.number == noSuchTable {
            return nil
        } catch let error as MySQLError where error.number == noSuchIndex {
            throw impostor(in: database)
        }
        func values(_ what: String) -> [(name: String, value: String)] {
            rows.filter { $0[0] == what }.map { ($0[1] ?? "", $0[2] ?? "") }
        }
        guard let backup = values("backup").first?.value,
            let request = values("request").first?.value
        else { return nil }
        let loaded = Set(values("loaded").map { ExactText($0.name) })
        let begun = Set(values("begun").map { ExactText($0.name) })
        let tables = values("table").map { table in
            (
                ExactText(table.name),
                Contents.Table(
                    treatment: TargetPlan.Treatment(rawValue: table.value) ?? .create,
                    isLoaded: loaded.contains(ExactText(table.name)),
                    isBegun: begun.contains(ExactText(table.name)))
            )
        }
        return Contents(
            backup: backup, request: request,
            chosen: Set(values("chosen").map { ExactText($0.name) }),
            tables: Dictionary(tables) { first, _ in first },
            drops: values("drop").compactMap { thing in
                MySQLObject.Kind(rawValue: thing.value).map {
                    MySQLObject(
                        kind: $0,
                        // Byte by byte: the space may be one character with what follows.
                        name: String(
                            decoding: thing.name.utf8.dropFirst(thing.value.utf8.count + 1),
                            as: UTF8.self), statement: "")
                }
            }.sorted { $0.kind < $1.kind },
            collation: values("collation").first?.value)
    }

    private static let noSuchTable: UInt32 = 1146
    private static let noSuchIndex: UInt32 = 1176

    private static func impostor(in database: String) -> BackupError {
        BackupError(
            .targetUnsuitable,
            "\(table) of \(database) is not what a restore leaves there, and is not read",
            hint: "Rename or drop it, once you know whose it is, and restore again.")
    }

    /// Whether a database holds an unfinished restore.
    static func isIn(_ database: String, _ connection: MySQLConnection) async throws -> Bool {
        try await connection.value(
            """
            SELECT 1 FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND \(MySQLText.isName("TABLE_NAME", table))
            """) != nil
    }

    /// What was asked for, in words: only the same can be gone on with.
    static func words(_ request: TargetRequest) -> String {
        RestoreWords(of: request, ["definer=\(request.definer ?? "")"]).text
    }

    /// `TRIGGER orders_audit`.
    static func label(of object: MySQLObject) -> ExactText { ExactText(words(of: object)) }

    private static func words(of object: MySQLObject) -> String {
        "\(object.kind.rawValue) \(object.name)"
    }

    // MARK: Writing

    /// The statements that leave the mark; the first creates its table.
    static func statements(_ request: TargetRequest, _ plan: MySQLPlan) -> [String] {
        let place = place(in: request.database)
        var rows = [
            ("backup", "", request.backup), ("request", "", words(request)),
        ]
        rows += plan.drops.map { ("drop", words(of: $0), $0.kind.rawValue) }
        rows += plan.chosen.map { ("chosen", words(of: $0), "") }
        rows += plan.target.tables.map { ("table", $0.key.name, $0.value.treatment.rawValue) }
        let values = rows.map { row in
            "(\([row.0, row.1, row.2].map(MySQLText.literal).joined(separator: ", ")))"
        }
        return [
            """
            CREATE TABLE IF NOT EXISTS \(place) (what varchar(16) CHARACTER SET ascii NOT NULL,
              name varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, value longtext
              CHARACTER SET utf8mb4, PRIMARY KEY (what, name)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
            """,
            "INSERT INTO \(place) VALUES \(values.joined(separator: ", "))",
        ]
    }

    /// Says that something is gone that was to be dropped: what has its name then is somebody else's.
    static func hasDropped(_ object: MySQLObject, in database: String) -> String {
        let name = MySQLText.literal(words(of: object))
        return "DELETE FROM \(place(in: database)) WHERE what = 'drop' AND name = \(name)"
    }

    /// Says that rows of a table, by its name in the backup, come in more than one transaction.
    static func isBegun(_ name: String, in database: String) -> String {
        let place = place(in: database)
        return "INSERT IGNORE INTO \(place) VALUES ('begun', \(MySQLText.literal(name)), '')"
    }

    /// Says that a table, by its name in the backup, is loaded.
    static func isLoaded(_ name: String, in database: String) -> String {
        let place = place(in: database)
        return "INSERT IGNORE INTO \(place) VALUES ('loaded', \(MySQLText.literal(name)), '')"
    }

    /// Says that nothing is left of tables, by their names in the backup, that were loaded.
    static func haveLost(_ names: [String], in database: String) -> String {
        let list = names.map(MySQLText.literal).joined(separator: ", ")
        return
            "DELETE FROM \(place(in: database)) WHERE what IN ('loaded', 'begun') AND name IN (\(list))"
    }

    /// Says which collation a database has, before it gets another one for a moment.
    ///
    /// For a session in that database, whose name it may not be able to say: it speaks as who made a body spoke.
    static func owns(_ collation: String) -> String {
        "INSERT IGNORE INTO \(table) VALUES ('collation', '', \(MySQLText.literal(collation)))"
    }

    /// Takes the mark away.
    static func removal(in database: String) -> String {
        "DROP TABLE IF EXISTS \(place(in: database))"
    }
}
