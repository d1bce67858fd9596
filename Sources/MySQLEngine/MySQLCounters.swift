import BackupCore

/// Where counters stand: the next value of each `AUTO_INCREMENT`, and MariaDB's sequences.
///
/// Both are named like tables, with which they share their names.
struct MySQLCounters {
    let connection: MySQLConnection
    let database: String

    /// Those of some tables, and of all sequences.
    ///
    /// They obey no snapshot: read after the rows they are never behind them.
    func values(of tables: [TableName]) async throws -> [SequenceValue] {
        let names = Set(tables.map(\.name))
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
                next = try await connection.value(
                    "SELECT next_not_cached_value FROM "
                        + MySQLText.qualified(TableName(schema: database, name: name)))
            } else if !names.contains(name) {
                continue
            }
            guard let value = next.flatMap({ Int64($0) }) else { continue }
            values.append(
                SequenceValue(schema: database, name: name, lastValue: value, isCalled: false))
        }
        return values.sorted { $0.name < $1.name }
    }
}
