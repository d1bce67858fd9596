import BackupCore

/// Where counters stand: the next value of each `AUTO_INCREMENT`, and MariaDB's sequences.
///
/// Both are named like tables, with which they share their names.
struct MySQLCounters {
    let connection: MySQLConnection
    let database: String

    /// Those of some tables, and of some sequences.
    ///
    /// They obey no snapshot: read after the rows they are never behind them.
    func values(
        of tables: [TableName], sequences: Set<ExactText>
    ) async throws -> [SequenceValue] {
        let names = Set(tables.map { ExactText($0.name) })
        let rows = try await connection.rows(
            """
            SELECT TABLE_NAME, AUTO_INCREMENT, TABLE_TYPE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database))
              AND (AUTO_INCREMENT IS NOT NULL OR TABLE_TYPE = 'SEQUENCE')
            """)
        var values: [SequenceValue] = []
        for row in rows {
            let name = row[0] ?? ""
            var next = row[1]
            if row[2] == "SEQUENCE" {
                guard sequences.contains(ExactText(name)) else { continue }
                next = try await connection.value(
                    "SELECT next_not_cached_value FROM "
                        + MySQLText.qualified(TableName(schema: database, name: name)))
            } else if !names.contains(ExactText(name)) {
                continue
            }
            guard let value = next.flatMap({ Int64($0) }) else { continue }
            values.append(
                SequenceValue(schema: database, name: name, lastValue: value, isCalled: false))
        }
        return values.sorted { $0.name < $1.name }
    }

    /// Lets a counter go on with a value.
    ///
    /// The server itself keeps one from falling behind the rows.
    ///
    /// `alter`: Changes a table.
    func set(
        _ name: String, to next: Int64, onlyForward: Bool,
        alter: (_ table: TableName, _ sql: String) async throws -> Void
    ) async throws {
        let table = TableName(schema: database, name: name)
        let place = MySQLText.qualified(table)
        let row = try await connection.rows(
            """
            SELECT t.TABLE_TYPE, t.AUTO_INCREMENT, c.EXTRA, t.ENGINE
            FROM information_schema.TABLES t LEFT JOIN information_schema.COLUMNS c
              ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND \(MySQLText.isName("c.TABLE_NAME", name))
                 AND c.EXTRA LIKE '%auto_increment%'
            WHERE t.TABLE_SCHEMA = \(MySQLText.literal(database))
              AND \(MySQLText.isName("t.TABLE_NAME", name))
            """
        ).first
        guard let row else { return }
        if row[0] == "SEQUENCE" {
            if onlyForward {
                try await connection.execute("SELECT SETVAL(\(place), \(next), 0)")
            } else {
                try await connection.execute("ALTER SEQUENCE \(place) RESTART WITH \(next)")
            }
            return
        }
        // It would take its own rows for duplicates, which are all behind the counter then.
        guard row[3]?.uppercased() != "ARCHIVE" else { return }
        // Before the first row the server may not tell.
        let own = row[1].flatMap { Int64($0) } ?? 1
        if row[2] != nil, onlyForward ? own < next : own != next {
            try await alter(table, "ALTER TABLE \(place) AUTO_INCREMENT = \(next)")
        }
    }
}
