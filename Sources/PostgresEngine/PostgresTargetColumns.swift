import BackupCore

/// The columns of a target's tables, and whether rows of a backup go into them as they are.
struct PostgresTargetColumns: Sendable {
    /// What a column of the target is.
    struct Kind: Sendable {
        /// As `format_type` writes it.
        let type: String
        var isComputed = false
    }

    private let columns: [TableName: [ExactText: Kind]]

    init(_ columns: [TableName: [ExactText: Kind]]) {
        self.columns = columns
    }

    /// Reads those of all tables at once: a whole may have thousands of parts.
    init(of tables: [TableName], on connection: PostgresConnection) async throws {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname, a.attname, a.attgenerated <> '',
                   pg_catalog.format_type(a.atttypid, a.atttypmod)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attrelid = ANY ($1::regclass[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
            """, [SQLText.array(tables)])
        var columns: [TableName: [ExactText: Kind]] = [:]
        for row in rows {
            let table = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            columns[table, default: [:]][ExactText(row[2] ?? "")] = Kind(
                type: row[4] ?? "", isComputed: row[3] == "t")
        }
        self.columns = columns
    }

    /// Why rows do not fit into a table.
    ///
    /// What was computed and is a column like any other would have its default in every row.
    func problems(of load: TableLoad) -> [String] {
        let own = columns[load.table] ?? [:]
        let types: [String?] = load.types + load.columns.map { _ in nil }
        let stored = zip(load.columns, types).compactMap { name, type -> String? in
            guard let there = own[ExactText(name)] else {
                return "\(load.table) has no column \(name)"
            }
            if there.isComputed { return "column \(name) of \(load.table) is computed" }
            guard let type, !PostgresTypeFit.holds(type, in: there.type) else { return nil }
            return "column \(name) of \(load.table) is \(there.type), and was \(type)"
        }
        let computed = load.computed.filter { own[ExactText($0)]?.isComputed == false }
        return stored
            + computed.map { "column \($0) of \(load.table) is not computed, and was" }
    }
}
