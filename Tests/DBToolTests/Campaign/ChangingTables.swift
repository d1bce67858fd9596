import BackupTesting

/// Tables whose structure somebody changes again and again, and a rule that holds at every moment.
///
/// All rows of a table get a new stamp at once, together with the change of structure where the product allows that: whoever
/// sees two stamps in one table has seen two moments. Two tables exchange their names, and are stamped together.
struct ChangingTables: ChangingThings {
    let server: any CampaignServer
    private let isPostgres: Bool

    init(of server: any CampaignServer, on product: CampaignShop.Product) {
        (self.server, isPostgres) = (server, product == .postgres)
    }

    private static let columns = """
        (id integer PRIMARY KEY, stamp integer NOT NULL, twin integer NOT NULL, tag varchar(10) NOT NULL)
        """

    func make() async throws {
        let rows = (1...400).map { "(\($0))" }.joined(separator: ", ")
        let alike = [("changing", "c"), ("left_side", "l"), ("right_side", "r")].map { name, tag in
            "CREATE TABLE \(name) \(Self.columns); \(Self.filling(name, stamp: 0, tag: tag));"
        }
        let partitioned = """
            CREATE TABLE whole \(Self.columns) PARTITION BY RANGE (id);
            CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (201);
            CREATE TABLE rest PARTITION OF whole DEFAULT;
            \(Self.filling("whole", stamp: 0, tag: "w"));
            COMMENT ON TABLE changing IS '0';
            """
        let all =
            [
                "CREATE TABLE numbers (id integer PRIMARY KEY); INSERT INTO numbers VALUES \(rows);"
            ] + alike + (isPostgres ? [partitioned] : [])
        try await server.query(all.joined(separator: "\n"), in: server.source)
    }

    private static func filling(_ table: String, stamp: Int, tag: String) -> String {
        "INSERT INTO \(table) (id, stamp, twin, tag) SELECT id, \(stamp), -\(stamp), '\(tag)' FROM numbers"
    }

    private static func stamping(_ table: String, _ stamp: Int) -> String {
        "UPDATE \(table) SET stamp = \(stamp), twin = -\(stamp)"
    }

    // MARK: The changes

    func changes(_ stamp: Int) -> [String] {
        isPostgres ? postgresChanges(stamp) : mysqlChanges(stamp)
    }

    private func postgresChanges(_ stamp: Int) -> [String] {
        func together(_ statements: String...) -> String {
            "BEGIN; \(statements.joined(separator: "; ")); COMMIT;"
        }
        let comment = "COMMENT ON TABLE changing IS '\(stamp)'"
        let stamped = "\(Self.stamping("changing", stamp)); \(comment)"
        let filled = "\(Self.filling("changing", stamp: stamp, tag: "c")); \(comment)"
        let sides =
            "\(Self.stamping("left_side", stamp)); \(Self.stamping("right_side", stamp))"
        return [
            together(
                "ALTER TABLE changing DROP COLUMN IF EXISTS extra",
                "ALTER TABLE changing ADD COLUMN extra integer NOT NULL DEFAULT \(stamp)", stamped),
            together("ALTER TABLE changing DROP COLUMN IF EXISTS extra", stamped),
            together("ALTER TABLE changing ALTER twin TYPE numeric", stamped),
            together("ALTER TABLE changing ALTER twin TYPE bigint", stamped),
            """
            ALTER TABLE changing RENAME TO changing_away; SELECT pg_sleep(0.05);
            ALTER TABLE changing_away RENAME TO changing;
            """,
            together("TRUNCATE changing", filled),
            together(
                "DROP TABLE changing", "CREATE TABLE changing \(Self.columns)", filled),
            """
            DROP INDEX IF EXISTS changing_stamp; CREATE INDEX changing_stamp ON changing (stamp);
            """,
            "VACUUM FULL changing;", "CLUSTER changing USING changing_pkey;",
            together(
                "ALTER TABLE whole DETACH PARTITION part", Self.stamping("whole", stamp),
                Self.stamping("part", stamp))
                    + """
                    SELECT pg_sleep(0.05);
                    ALTER TABLE whole ATTACH PARTITION part FOR VALUES FROM (1) TO (201);
                    """,
            together(
                "ALTER TABLE left_side RENAME TO middle",
                "ALTER TABLE right_side RENAME TO left_side",
                "ALTER TABLE middle RENAME TO right_side", sides),
        ]
    }

    /// None of them is undone, and each of its statements is a moment of its own.
    private func mysqlChanges(_ stamp: Int) -> [String] {
        let stamped = Self.stamping("changing", stamp)
        let filled = Self.filling("changing", stamp: stamp, tag: "c")
        let sides =
            "\(Self.stamping("left_side", stamp)); \(Self.stamping("right_side", stamp))"
        return [
            "ALTER TABLE changing ADD COLUMN extra int NOT NULL DEFAULT \(stamp); \(stamped)",
            "\(stamped); ALTER TABLE changing DROP COLUMN extra",
            "ALTER TABLE changing MODIFY twin bigint NOT NULL; \(stamped)",
            "ALTER TABLE changing MODIFY twin int NOT NULL; \(stamped)",
            """
            RENAME TABLE changing TO changing_away; DO SLEEP(0.05);
            RENAME TABLE changing_away TO changing
            """,
            "TRUNCATE changing; \(filled)",
            "DROP TABLE changing; CREATE TABLE changing \(Self.columns); \(filled)",
            "CREATE INDEX changing_stamp ON changing (stamp)",
            "DROP INDEX changing_stamp ON changing", "OPTIMIZE TABLE changing",
            """
            RENAME TABLE left_side TO middle, right_side TO left_side, middle TO right_side;
            BEGIN; \(sides); COMMIT
            """,
        ]
    }

    // MARK: The rule

    /// What the rows of a table have in common.
    private struct Summary {
        let rows: Int
        let stamp: String
        let tag: String
    }

    func faults(of database: String) async throws -> [String] {
        let schema = isPostgres ? "'public'" : "DATABASE()"
        let tables = Set(
            try await server.query(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = \(schema)",
                in: database
            ).split(separator: "\n").map(String.init))
        let main = tables.contains("changing_away") ? "changing_away" : "changing"
        // Elsewhere there is a moment without the table, and one without its rows.
        var expected = [
            main: isPostgres ? [400] : [0, 400], "left_side": [400], "right_side": [400],
        ]
        if isPostgres {
            expected.merge(["whole": [200, 400], "part": [200], "rest": [200]]) { $1 }
        }
        var faults: [String] = []
        var summaries: [String: Summary] = [:]
        for (table, counts) in expected.sorted(by: { $0.key < $1.key }) {
            guard tables.contains(table) else {
                if isPostgres || table != main { faults.append("\(table) is missing") }
                continue
            }
            let summary = try await summary(of: table, in: database, &faults)
            summaries[table] = summary
            if !counts.contains(summary.rows) {
                faults.append("\(table) has \(summary.rows) rows")
            }
        }
        if tables.isSuperset(of: ["changing", "changing_away"]) {
            faults.append("changing is there twice")
        }
        if let left = summaries["left_side"], let right = summaries["right_side"],
            left.stamp != right.stamp || left.tag == right.tag
        {
            faults.append("of \(left) and \(right) one is of another moment")
        }
        let parts = ["whole", "part", "rest"].compactMap { summaries[$0]?.stamp }
        if Set(parts).count > 1 { faults.append("partitions of several moments: \(parts)") }
        if isPostgres, let stamp = summaries[main]?.stamp {
            let comment = try await server.query(
                "SELECT obj_description('\(main)'::regclass)", in: database)
            if comment != stamp { faults.append("the structure of \(comment), rows of \(stamp)") }
        }
        if tables.contains(main) { try await checkExtra(main, in: database, schema, &faults) }
        return faults
    }

    private func summary(
        of table: String, in database: String, _ faults: inout [String]
    ) async throws -> Summary {
        let line = try await server.query(
            """
            SELECT count(*), count(DISTINCT stamp), count(DISTINCT tag),
              coalesce(sum(CASE WHEN twin = -stamp THEN 0 ELSE 1 END), 0),
              coalesce(max(stamp), -1), coalesce(max(tag), '-') FROM \(table)
            """, in: database)
        let fields = line.split(whereSeparator: { "|\t".contains($0) }).map(String.init)
        guard fields.count == 6, let rows = Int(fields[0]) else {
            throw ProgramFailure("not understood: \(line)")
        }
        let isOne = ["0", "1"].contains(fields[1]) && ["0", "1"].contains(fields[2])
        if !isOne || fields[3] != "0" {
            faults.append("\(table) is of several moments: \(line)")
        }
        return Summary(rows: rows, stamp: fields[4], tag: fields[5])
    }

    /// The column that comes and goes has its default in all rows.
    private func checkExtra(
        _ table: String, in database: String, _ schema: String, _ faults: inout [String]
    ) async throws {
        let columns = try await server.query(
            """
            SELECT count(*) FROM information_schema.columns
            WHERE table_schema = \(schema) AND table_name = '\(table)' AND column_name = 'extra'
            """, in: database)
        guard columns == "1" else { return }
        let values = try await server.query(
            "SELECT count(DISTINCT extra) FROM \(table)", in: database)
        if !["0", "1"].contains(values) { faults.append("\(values) values of one default") }
    }
}
