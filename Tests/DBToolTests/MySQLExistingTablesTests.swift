import BackupTesting
import Foundation
import Testing

/// Tables of MySQL and MariaDB that exist, while a restore changes their rows and others are at work.
@Suite struct MySQLExistingTablesTests {
    private static let rows = ["--data-only", "--existing", "truncate", "--yes"]

    /// A session that has done something, and does the rest when it is let go.
    private struct Holder {
        let work: Task<ProgramEnd, any Error>
        /// The session that keeps it.
        let keeper: String
    }

    /// A session that does something first and waits for a lock that has nothing to do with tables, which another one holds.
    private func session(
        in database: MySQLTestDatabase, doing first: String, _ rest: String
    ) async throws -> Holder {
        let name = database.name
        // Killed at last, it ends with an error.
        _ = Task {
            try await database.server.attempt(
                "SELECT GET_LOCK('\(name)', 0); SELECT SLEEP(600), '\(name)'", database: name)
        }
        let keeping = "INFO LIKE 'SELECT SLEEP(%\(name)%'"
        try await eventually("the lock is held") {
            try await !sessions(keeping, in: database).isEmpty
        }
        let keeper = try #require(try await sessions(keeping, in: database).first)
        let work = Task {
            try await database.server.attempt(
                "\(first); SELECT GET_LOCK('\(name)', 600); \(rest)", database: name)
        }
        try await eventually("the first is done") {
            try await !sessions("INFO LIKE 'SELECT GET_LOCK(%\(name)%'", in: database).isEmpty
        }
        return Holder(work: work, keeper: keeper)
    }

    /// Lets a session do the rest.
    private func letGo(_ holder: Holder, in database: MySQLTestDatabase) async throws {
        try await database.server.query("KILL \(holder.keeper)")
    }

    private func sessions(
        _ condition: String, in database: MySQLTestDatabase
    ) async throws -> [String] {
        try await database.server.query(
            """
            SELECT ID FROM information_schema.PROCESSLIST
            WHERE ID <> CONNECTION_ID() AND DB = '\(database.name)' AND \(condition)
            """
        ).split(separator: "\n").map(String.init)
    }

    /// The server would make a moment or a number of it without a word.
    ///
    /// `loads`: Whether MySQL takes rows by `LOAD DATA`.
    @Test(arguments: MySQLTestServer.all, [true, false])
    func `a NULL does not go into a column that takes none`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                """
                CREATE TABLE moments (id int PRIMARY KEY, at timestamp NULL) ENGINE = InnoDB;
                CREATE TABLE numbers (id int PRIMARY KEY, n int) ENGINE = InnoDB;
                CREATE TABLE texts (id int PRIMARY KEY, v varchar(9)) ENGINE = InnoDB;
                INSERT INTO moments VALUES (1, '2024-02-29 01:02:03'), (2, NULL);
                INSERT INTO numbers VALUES (1, 1), (2, NULL); INSERT INTO texts VALUES (1, 'a'), (2, NULL)
                """)
            _ = try await bench.backUp()
            let target = bench.other("target")
            try await bench.server.query("CREATE DATABASE \(target.name)")
            try await target.query(
                """
                CREATE TABLE moments (id int PRIMARY KEY, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE = InnoDB;
                CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL AUTO_INCREMENT UNIQUE) ENGINE = InnoDB;
                CREATE TABLE texts (id int PRIMARY KEY, v varchar(9) NOT NULL) ENGINE = InnoDB;
                INSERT INTO moments VALUES (9, '2020-01-01 00:00:00'); INSERT INTO numbers VALUES (9, 9);
                INSERT INTO texts VALUES (9, 'z')
                """)
            let values = """
                SELECT * FROM moments ORDER BY id; SELECT * FROM numbers ORDER BY id; SELECT * FROM texts ORDER BY id
                """
            let before = try await target.query(values)
            for existing in ["truncate", "append"] {
                let words = ["--data-only", "--existing", existing, "--yes", "-tablename"]
                for (table, column) in [("moments", "at"), ("numbers", "n")] {
                    try await bench.restore(into: target, words + [table]).expect(
                        code: 1, saying: "column \(column) of ",
                        "\(table) takes no NULL, and the backup holds some", "--as NAME")
                }
                // Here the server speaks of it.
                try await bench.restore(into: target, words + ["texts"])
                    .expect(code: 1, saying: "as they were")
                #expect(try await target.query(values) == before)
            }
            // What takes NULL takes these rows.
            try await target.query(
                """
                ALTER TABLE moments MODIFY at timestamp NULL; ALTER TABLE numbers MODIFY n int;
                ALTER TABLE texts MODIFY v varchar(9)
                """)
            try await bench.restore(into: target, Self.rows).requireCode(0)
            #expect(try await target.query(values) == bench.source.query(values))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what others write into an emptied table waits, whatever the server's isolation`(
        server: MySQLTestServer
    ) async throws {
        let settings = ["transaction-isolation=READ-COMMITTED"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            let source = bench.source
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO a VALUES (1), (2);
                CREATE TABLE b (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO b VALUES (1)
                """)
            _ = try await bench.backUp()
            // The first table is empty then, and the second waited for.
            let holder = try await session(
                in: source, doing: "START TRANSACTION; SELECT * FROM b FOR UPDATE",
                "COMMIT")
            let end = try await bench.restore(into: source, Self.rows) { _ in
                try await eventually("the second table is waited for") {
                    try await !sessions("INFO LIKE 'DELETE FROM%`b`'", in: source).isEmpty
                }
                let written = try await source.server.attempt(
                    "SET SESSION innodb_lock_wait_timeout = 1; INSERT INTO a VALUES (99)",
                    database: source.name)
                #expect(written.code != 0, "\(written)")
                try await letGo(holder, in: source)
            }
            _ = try await holder.work.value
            try end.requireCode(0)
            #expect(try await source.query("SELECT id FROM a ORDER BY id") == "1\n2")
        }
    }

    /// What somebody does with a table that a restore waits for, and what it says of that.
    private static let changes: [(statement: String, words: String)] = [
        ("ALTER TABLE a MODIFY amount float", "column amount of"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.amount = 7",
            "triggers would fire: t of a"
        ),
    ]

    /// Values would be shortened, or others, without a word.
    @Test(arguments: MySQLTestServer.all, changes)
    func `a table that becomes another while a restore waits for it is left as it is`(
        server: MySQLTestServer, change: (statement: String, words: String)
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let source = bench.source
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY, amount double) ENGINE = InnoDB;
                INSERT INTO a VALUES (1, 1.23456789012345)
                """)
            _ = try await bench.backUp()
            try await source.query("INSERT INTO a VALUES (2, 2)")
            let holder = try await session(
                in: source, doing: "LOCK TABLES a WRITE", "\(change.statement); UNLOCK TABLES")
            let end = try await bench.restore(into: source, Self.rows) { _ in
                try await eventually("the table is waited for") {
                    try await !sessions("STATE LIKE 'Waiting for table metadata%'", in: source)
                        .isEmpty
                }
                try await letGo(holder, in: source)
            }
            let held = try await holder.work.value
            #expect(held.code == 0, "\(held)")
            end.expect(code: 1, saying: change.words)
            #expect(try await source.query("SELECT id FROM a ORDER BY id") == "1\n2")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that others have not committed yet are no empty table`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let source = bench.source
            try await source.query(
                "CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO a VALUES (1)")
            _ = try await bench.backUp()
            try await source.query("DELETE FROM a")
            let holder = try await session(
                in: source, doing: "START TRANSACTION; INSERT INTO a VALUES (7)", "COMMIT")
            let end = try await bench.restore(into: source, ["--data-only"]) { _ in
                try await eventually("the row is waited for") {
                    try await !sessions("INFO LIKE '%LOCK IN SHARE MODE'", in: source).isEmpty
                }
                try await letGo(holder, in: source)
            }
            _ = try await holder.work.value
            end.expect(code: 1, saying: "hold rows")
            #expect(try await source.query("SELECT id FROM a") == "7")
        }
    }

    /// It would be NULL or have its default in every row, and nobody would say so.
    @Test(arguments: MySQLTestServer.all)
    func `a column that was computed is refused where the target has a plain one`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, n int, twice int AS (n * 2) STORED, more int AS (n + 1) VIRTUAL)
                  ENGINE = InnoDB;
                INSERT INTO t (id, n) VALUES (1, 1), (2, 2)
                """)
            _ = try await bench.backUp()
            let target = bench.other("target")
            try await bench.server.query("CREATE DATABASE \(target.name)")
            try await target.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, n int, twice int AS (n * 2) STORED, more int DEFAULT 7)
                  ENGINE = InnoDB;
                INSERT INTO t (id, n, more) VALUES (9, 9, 9)
                """)
            let rows = "SELECT * FROM t ORDER BY id"
            let before = try await target.query(rows)
            for existing in ["truncate", "append"] {
                let end = try await bench.restore(
                    into: target, ["-tablename", "t", "--existing", existing, "--yes"])
                end.expect(
                    code: 1, saying: "the rows do not fit: column more of ",
                    "t is not computed, and was", "--as NAME")
                #expect(try await target.query(rows) == before)
            }
            try await bench.restore(into: target, Self.rows)
                .expect(code: 1, saying: "column more of ", "t is not computed, and was")
            // One that is missing lacks nothing of the rows.
            try await target.query("ALTER TABLE t DROP COLUMN more")
            try await bench.restore(into: target, Self.rows).requireCode(0)
            let columns = "SELECT id, n, twice FROM t ORDER BY id"
            #expect(try await target.query(columns) == bench.source.query(columns))
        }
    }
}
