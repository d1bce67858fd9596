import BackupCore

/// Foreign keys of a database, and whether its rows obey them.
///
/// They are made without a look at the rows, which would copy whole tables; a query by their indexes
/// finds the rows that refer to nothing.
struct MySQLForeignKeys {
    /// A foreign key that is there.
    struct Key: Sendable {
        let name: String
        let table: TableName
        let referenced: TableName
        /// Its own columns and those that they refer to.
        var columns: [(own: String, referenced: String)] = []

        /// What is told of one whose rows cannot be looked at.
        func words(_ obstacle: Obstacle) -> String {
            "rows of \(table) refer by \(name) to \(referenced), which \(obstacle.rawValue)"
        }
    }

    let connection: MySQLConnection

    /// Those of some tables, or of all in a database; `referring`: also those that refer to these.
    func keys(
        in database: String, of tables: Set<ExactText>? = nil, referring: Set<ExactText> = []
    ) async throws -> [Key] {
        let rows = try await connection.rows(
            """
            SELECT CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME, REFERENCED_TABLE_SCHEMA,
                   REFERENCED_TABLE_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME
            FROM information_schema.KEY_COLUMN_USAGE
            WHERE REFERENCED_TABLE_NAME IS NOT NULL
              AND (TABLE_SCHEMA = \(MySQLText.literal(database))
                   OR REFERENCED_TABLE_SCHEMA = \(MySQLText.literal(database)))
            ORDER BY TABLE_SCHEMA, CAST(TABLE_NAME AS BINARY), CAST(CONSTRAINT_NAME AS BINARY),
              ORDINAL_POSITION
            """)
        var keys: [Key] = []
        for row in rows {
            let table = TableName(schema: row[1] ?? "", name: row[2] ?? "")
            let referenced = TableName(schema: row[3] ?? "", name: row[4] ?? "")
            let isOwn =
                table.schema.isExactly(database) && tables?.contains(ExactText(table.name)) ?? true
            let isReferring =
                referenced.schema.isExactly(database)
                && referring.contains(ExactText(referenced.name))
            guard isOwn || isReferring else { continue }
            let name = row[0] ?? ""
            if keys.last?.table != table || !(keys.last?.name.isExactly(name) ?? false) {
                keys.append(Key(name: name, table: table, referenced: referenced))
            }
            keys[keys.count - 1].columns.append((row[5] ?? "", row[6] ?? ""))
        }
        return keys
    }

    /// Why nobody can tell whether rows refer to nothing: what is the matter with that which they refer to.
    enum Obstacle: String, Sendable {
        /// The servers keep the keys of tables whose parent was dropped, and know those of other databases.
        case absence = "is not there"
        case refusal = "may not be read"
        case difference = "cannot be compared with them"

        init?(_ error: MySQLError) {
            switch error.number {
            case 1049, 1051, 1146: self = .absence
            case 1044, 1142, 1143: self = .refusal
            case 1054, 1267: self = .difference
            default: return nil
            }
        }
    }

    /// What keeps rows from being looked at; nil where nothing does.
    ///
    /// A view in the place of a table that was dropped is not looked into: it would call functions of whoever made it.
    func obstacle(to key: Key) async throws -> Obstacle? {
        do {
            let type = try await connection.value(
                """
                SELECT TABLE_TYPE FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = \(MySQLText.literal(key.referenced.schema))
                  AND \(MySQLText.isName("TABLE_NAME", key.referenced.name))
                """)
            if type?.hasSuffix("VIEW") ?? false { return .absence }
            // Names, privileges and collations are looked at all the same.
            _ = try await connection.value(Self.orphans(of: key, limit: 0))
            return nil
        } catch let error as MySQLError {
            guard let obstacle = Obstacle(error) else { throw error }
            return obstacle
        }
    }

    /// Whether a row refers to nothing.
    ///
    /// `locks`: Whether what is read stays as it is until the transaction ends.
    func isBroken(_ key: Key, locks: Bool = false) async throws -> Bool {
        try await connection.value(Self.orphans(of: key, limit: 1, locks: locks)) != nil
    }

    private static func orphans(of key: Key, limit: Int, locks: Bool = false) -> String {
        let columns = key.columns.map { column in
            (own: MySQLText.identifier(column.own), other: MySQLText.identifier(column.referenced))
        }
        let matches = columns.map { "r.\($0.other) = t.\($0.own)" }.joined(separator: " AND ")
        let present = columns.map { "t.\($0.own) IS NOT NULL" }.joined(separator: " AND ")
        // A lock of the outer selection does not reach the inner one.
        let lock = locks ? " LOCK IN SHARE MODE" : ""
        return """
            SELECT 1 FROM \(MySQLText.qualified(key.table)) t
            WHERE \(present) AND NOT EXISTS (
              SELECT 1 FROM \(MySQLText.qualified(key.referenced)) r WHERE \(matches)\(lock)) LIMIT \(limit)\(lock)
            """
    }
}
