import BackupCore

/// Reading where sequences stand.
enum PostgresSequences {
    /// Enough for one statement, few enough for its length.
    private static let batch = 200

    /// A sequence, its limits, and what the role may do with it.
    struct Sequence: Sendable {
        let name: TableName
        let mayRead: Bool
        let maySeeSchema: Bool
        /// Whether the server is a standby, and nobody there knows where it stands.
        let isUnknown: Bool
        /// Whether it belongs to a table that is left out: others are numbered by it.
        let isOfLeftOut: Bool
        let smallest: Int64
        let largest: Int64

        var isReadable: Bool { mayRead && maySeeSchema }

        /// Whether it can be put there.
        func admits(_ place: Int64) -> Bool { place >= smallest && place <= largest }
    }

    /// The sequences in scope, and whether each can be read.
    ///
    /// `tables`: The oids of the tables in scope; nil for everything. A sequence belongs to
    ///   a table that owns it or whose defaults use it.
    /// `leftOut`: The oids of tables that are left out.
    /// `omitted`: The oids of the sequences that are left out with them, as pg_dump is told to.
    static func names(
        tables: [String]?, leftOut: [String] = [], omitted: [String] = [],
        on connection: PostgresConnection
    ) async throws -> [Sequence] {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname,
                   pg_catalog.has_sequence_privilege(c.oid, 'SELECT'),
                   pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
                   c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery(), q.seqmin, q.seqmax,
                   \(isOwned(byOneOf: "$2"))
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_sequence q ON q.seqrelid = c.oid
            LEFT JOIN pg_catalog.pg_depend x ON x.classid = 'pg_catalog.pg_class'::regclass
              AND x.objid = c.oid AND x.deptype = 'e'
            LEFT JOIN pg_catalog.pg_extension e ON e.oid = x.refobjid
            WHERE c.relkind = 'S' AND c.relpersistence <> 't'
              AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
              AND (e.oid IS NULL OR c.oid = ANY (e.extconfig))
              AND c.oid <> ALL ($3::oid[])
              AND ($1::oid[] IS NULL
                OR \(isOwned(byOneOf: "$1"))
                OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                           JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
                           WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
                             AND d.refclassid = 'pg_catalog.pg_class'::regclass
                             AND d.refobjid = c.oid AND f.adrelid = ANY ($1::oid[])))
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """,
            [
                tables.map(PostgresCatalog.array), PostgresCatalog.array(leftOut),
                PostgresCatalog.array(omitted),
            ])
        return rows.map {
            Sequence(
                name: TableName(schema: $0[0] ?? "", name: $0[1] ?? ""), mayRead: $0[2] == "t",
                maySeeSchema: $0[3] == "t", isUnknown: $0[4] == "t", isOfLeftOut: $0[7] == "t",
                smallest: Int64($0[5] ?? "") ?? .min, largest: Int64($0[6] ?? "") ?? .max)
        }
    }

    /// Those that belong to columns of some tables, by their oids, and that nothing but these tables is numbered by.
    ///
    /// pg_dump leaves no sequence out with its table that somebody could have made by hand.
    static func numbering(
        _ tables: [String], on connection: PostgresConnection
    ) async throws -> [(oid: String, name: TableName)] {
        guard !tables.isEmpty else { return [] }
        return try await connection.rows(
            """
            SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'S'
              AND \(isOwned(byOneOf: "$1"))
              AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                              LEFT JOIN pg_catalog.pg_attrdef f
                                ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
                              WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
                                AND d.refobjid = c.oid AND d.deptype = 'n'
                                AND coalesce(f.adrelid <> ALL ($1::oid[]), true))
            """, [PostgresCatalog.array(tables)]
        ).map { (oid: $0[0] ?? "", name: TableName(schema: $0[1] ?? "", name: $0[2] ?? "")) }
    }

    /// Whether the sequence `c` belongs to a column of one of some tables, whose oids a parameter has.
    private static func isOwned(byOneOf parameter: String) -> String {
        """
        EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                  AND d.refclassid = 'pg_catalog.pg_class'::regclass
                  AND d.deptype IN ('a', 'i') AND d.refobjid = ANY (\(parameter)::oid[]))
        """
    }

    /// Where the sequences stand now: their values obey no snapshot.
    ///
    /// Reading also holds a lock until the transaction ends, so that they cannot be dropped.
    static func read(
        _ names: [TableName], on connection: PostgresConnection
    ) async throws -> [SequenceValue] {
        var values: [SequenceValue] = []
        for start in stride(from: 0, to: names.count, by: batch) {
            let some = names[start..<min(start + batch, names.count)]
            let query = some.enumerated().map { index, name in
                "SELECT \(index) AS i, last_value, is_called FROM \(SQLText.qualified(name))"
            }.joined(separator: "\nUNION ALL ")
            let rows = try await connection.rows(query + " ORDER BY i")
            values += zip(some, rows).map { name, row in
                SequenceValue(
                    schema: name.schema, name: name.name, lastValue: Int64(row[1] ?? "") ?? 0,
                    isCalled: row[2] == "t")
            }
        }
        return values
    }

    /// Refuses places where the sequences, as they are defined in the snapshot, cannot stand.
    ///
    /// No lock that a reader holds keeps others from changing their limits.
    static func check(_ values: [SequenceValue], against sequences: [Sequence]) throws {
        for (value, sequence) in zip(values, sequences) where !sequence.admits(value.lastValue) {
            throw BackupError(
                .sourceChanged,
                "the limits of sequence \(sequence.name) were changed during the backup",
                hint: "Run the backup again.")
        }
    }

    /// Where to put a sequence of a target, and how.
    struct Setting: Sendable {
        let value: SequenceValue
        /// What it is called in the target.
        let name: TableName
        let move: PostgresPlan.SequenceMove

        /// What puts it back where it stands now, unless it is further then; nil for a role that may not see it.
        func undoing(on connection: PostgresConnection) async throws -> Setting? {
            let mayRead = try await connection.value(
                "SELECT pg_catalog.has_sequence_privilege($1::text, 'SELECT')",
                [SQLText.qualified(name)])
            guard mayRead == "t" else { return nil }
            return try await PostgresSequences.read([name], on: connection).first.map {
                Setting(value: $0, name: name, move: .forward)
            }
        }
    }

    /// Puts a sequence where it stood, which no rollback takes back.
    static func set(_ setting: Setting, on connection: PostgresConnection) async throws {
        let (value, name) = (setting.value, setting.name)
        let literal = SQLText.literal(SQLText.qualified(name))
        let position = "\(value.lastValue)"
        let unused =
            setting.move == .unlessUsed ? "NOT s.is_called AND s.last_value = d.first OR" : ""
        let condition = """
            FROM \(SQLText.qualified(name)) s,
                 (SELECT seqincrement > 0 AS ascends, seqstart AS first
                  FROM pg_catalog.pg_sequence WHERE seqrelid = \(literal)::regclass) d
            WHERE \(unused)
                  CASE WHEN s.last_value = \(position) THEN \(value.isCalled) AND NOT s.is_called
                       ELSE (s.last_value < \(position)) = d.ascends END
            """
        let isExact = setting.move == .exactly || setting.move == .withRows
        try await connection.executeInterruptibly(
            """
            SELECT pg_catalog.setval(\(literal), \(position), \(value.isCalled))
            \(isExact ? "" : condition)
            """)
    }
}
