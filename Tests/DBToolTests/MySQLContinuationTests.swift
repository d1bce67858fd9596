import BackupTesting
import Foundation
import Testing

/// Tables of MySQL and MariaDB that became others between an interrupted restore and the one that goes on with it.
@Suite struct MySQLContinuationTests {
    @Test(arguments: MySQLTestServer.all)
    func `what was loaded and is lost is loaded again`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE quick (id int PRIMARY KEY) ENGINE = MEMORY; INSERT INTO quick VALUES (1), (2);
                CREATE TABLE gone (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO gone VALUES (1), (2);
                CREATE TABLE kept (id int PRIMARY KEY, g int, CONSTRAINT of_gone FOREIGN KEY (g)
                  REFERENCES gone (id)) ENGINE = InnoDB; INSERT INTO kept VALUES (1, 1), (2, 2);
                CREATE VIEW v AS SELECT id FROM kept
                """)
            let target = try await stuck(bench, ["quick", "gone", "kept"])
            #expect(try await target.query("SELECT COUNT(*) FROM quick") == "2")
            #expect(try await target.query("SELECT COUNT(*) FROM gone") == "2")
            let plan = try await bench.restore(into: target, ["--no-owner", "--dry-run"])
            let made = plan.output.split(separator: "\n").filter {
                $0.hasPrefix("  made    table ")
            }
            #expect(plan.code == 0 && made.count == 1, "\(plan)")
            #expect(!plan.output.contains("  create  table"), "\(plan)")
            // A restart leaves as much of a table in memory.
            try await target.query(
                "DELETE FROM quick; SET SESSION foreign_key_checks = 0; DROP TABLE gone; UPDATE kept SET g = 1"
            )
            let end = try await bench.restore(into: target, ["--no-owner"])
            #expect(end.code == 4, "\(end)")
            #expect(end.output.contains("kept is not as in the backup: its rows differ"), "\(end)")
            #expect(!end.errors.contains("warning: rows of"), "\(end)")
            for table in ["quick", "gone", "v"] {
                #expect(try await target.query("SELECT id FROM \(table) ORDER BY id") == "1\n2")
            }
            // What is there is left as it is, and told.
            #expect(try await target.query("SELECT g FROM kept ORDER BY id") == "1\n1")
        }
    }

    /// One connection has committed its rows, and the other one has not, when the second load is killed.
    @Test(arguments: MySQLTestServer.all)
    func `a table that was loaded, lost, and loaded again in part is not taken for loaded`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            // As large as tables are that all connections load together.
            try await bench.source.query(Self.large(rows: 400_000, on: server))
            let target = try await stuck(bench, ["large"])
            #expect(try await loaded(in: target) == "large")
            try await target.query("TRUNCATE TABLE large")
            let words = ["--no-owner", "--jobs", "2"]
            // Nobody else may write a row.
            let lock = "START TRANSACTION; SELECT id FROM large FOR UPDATE; DO SLEEP(600)"
            let end = try await holding(lock, in: target) {
                let end = try await bench.restore(into: target, words) { running in
                    try await eventually("rows wait to be written") {
                        try await !waiting(in: target).isEmpty
                    }
                    try running.send(SIGKILL)
                }
                #expect(try await loaded(in: target) == "")
                return end
            }
            #expect(end.code == 128 + SIGKILL, "\(end)")
            try await eventually("no session of the restore is left") {
                try await sessions(in: target, "TRUE").isEmpty
            }
            try await target.query(
                "INSERT INTO large SELECT * FROM \(bench.source.name).large WHERE id <= 1000")
            try await bench.restore(into: target, words)
                .expect(code: 0, saying: "table large holds a part of its rows")
            #expect(try await target.query("SELECT COUNT(*) FROM large") == "400000")
        }
    }

    /// ARCHIVE takes neither DELETE nor TRUNCATE.
    @Test(arguments: MySQLTestServer.all)
    func `a table whose rows cannot be deleted is made anew when its load was interrupted`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, server.archive()) { bench, _ in
            try await bench.source.query(
                """
                CREATE TABLE part (v varchar(20)) ENGINE = ARCHIVE; INSERT INTO part VALUES ('a'), ('b');
                CREATE TABLE bare (v varchar(20)) ENGINE = ARCHIVE; INSERT INTO bare VALUES ('a'), ('b');
                CREATE TABLE kept (v varchar(20)) ENGINE = ARCHIVE; INSERT INTO kept VALUES ('a'), ('b')
                """)
            let target = try await stuck(bench, ["part", "bare", "kept"])
            // As if it had been killed before the first row of one, and within those of another.
            try await target.query(
                """
                DELETE FROM dbtool_restore WHERE what = 'loaded' AND name IN ('part', 'bare');
                DROP TABLE bare; CREATE TABLE bare (v varchar(20)) ENGINE = ARCHIVE;
                INSERT INTO kept VALUES ('c')
                """)
            let end = try await bench.restore(into: target, ["--no-owner"])
            #expect(end.code == 4, "\(end)")
            #expect(end.output.contains("kept is not as in the backup: it has 3 rows"), "\(end)")
            #expect(
                end.errors.contains("table part holds a part of its rows")
                    && end.errors.contains("it is made anew"), "\(end)")
            #expect(try await target.query("SELECT v FROM part ORDER BY v") == "a\nb")
            #expect(try await target.query("SELECT v FROM bare ORDER BY v") == "a\nb")
            #expect(try await target.query("SELECT v FROM kept ORDER BY v") == "a\nb\nc")
            #expect(try await target.query("SHOW CREATE TABLE part").contains("ENGINE=ARCHIVE"))
        }
    }

    /// A server that is killed leaves tables of MyISAM like this, and repairs them only where it is told to.
    @Test(arguments: MySQLTestServer.all)
    func `tables that a crash has damaged are made anew`(server: MySQLTestServer) async throws {
        let settings = ["myisam_recover_options=OFF"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, own in
            try await bench.source.query(
                """
                CREATE TABLE loaded (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO loaded VALUES (1), (2);
                CREATE TABLE begun (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO begun VALUES (1), (2);
                CREATE TABLE strange (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO strange VALUES (1), (2)
                """)
            let tables = ["loaded", "begun", "strange"]
            let target = try await stuck(bench, tables)
            try await target.query(
                """
                DELETE FROM dbtool_restore WHERE what = 'loaded' AND name = 'begun';
                DELETE FROM dbtool_restore WHERE what IN ('loaded', 'begun') AND name = 'strange'
                """)
            for table in tables {
                try await damage(table, of: target)
                let read = try await own.server.attempt(
                    "SELECT 1 FROM \(table) LIMIT 1", database: target.name)
                #expect(read.code != 0 && read.errors.contains("crashed"), "\(read)")
            }
            let words = ["--no-owner"]
            // Nothing is changed where one of them may hold what somebody else has written.
            try await bench.restore(into: target, words)
                .expect(code: 1, saying: "cannot be read or emptied", "strange", "REPAIR TABLE")
            try await target.query("DROP TABLE strange")
            let end = try await bench.restore(into: target, words)
            try end.requireCode(0)
            for table in ["loaded", "begun"] {
                #expect(end.errors.contains("table \(table) is damaged"), "\(end)")
            }
            for table in tables {
                #expect(try await target.query("SELECT id FROM \(table) ORDER BY id") == "1\n2")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that others wrote into a table that was only made are not deleted`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            // The largest is loaded first.
            try await bench.source.query(
                Self.large(rows: 300_000, on: server)
                    + "; CREATE TABLE small (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO small VALUES (1)"
            )
            _ = try await bench.backUp()
            let target = bench.other("target")
            let words = ["--create", "--jobs", "1"]
            let end = try await bench.restore(into: target, words) { running in
                try await eventually("both tables are made") {
                    try await server.attempt("SELECT 1 FROM \(target.name).small").code == 0
                }
                try running.send(SIGKILL)
            }
            #expect(end.code == 128 + SIGKILL, "\(end)")
            func goOn() async throws -> ProgramEnd {
                var end = try await bench.restore(into: target, words)
                for _ in 1...30 where end.code == 6 {
                    end = try await bench.restore(into: target, words)
                }
                return end
            }
            try await target.query("INSERT INTO small VALUES (99)")
            try await goOn().expect(
                code: 1, saying: "the interrupted restore did not load: small", "DELETE FROM")
            #expect(try await target.query("SELECT id FROM small") == "99")
            try await target.query("DELETE FROM small")
            try await goOn().requireCode(0)
            try await bench.expectEqual(bench.source, target)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that were to be replaced are replaced by the run that goes on, too`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let kept = "CREATE TABLE kept (id int PRIMARY KEY, v int) ENGINE = InnoDB"
            try await bench.source.query(
                """
                \(kept); INSERT INTO kept VALUES (1, 1), (2, 2);
                CREATE TABLE made (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO made VALUES (1)
                """)
            let words = ["--existing", "truncate", "--yes"]
            let target = try await stuck(
                bench, ["kept", "made"], there: "\(kept); INSERT INTO kept VALUES (9, 9)", words)
            #expect(try await target.query("SELECT id FROM kept ORDER BY id") == "1\n2")
            try await target.query("DELETE FROM kept WHERE id = 1; UPDATE kept SET v = 3")
            try await bench.restore(into: target, words + ["--no-owner"]).requireCode(0)
            #expect(try await target.query("SELECT v FROM kept ORDER BY id") == "1\n2")
            #expect(try await target.query("SELECT id FROM made") == "1")
        }
    }

    // MARK: Interruptions

    /// A table of some 190 bytes a row.
    private static func large(rows: Int, on server: MySQLTestServer) -> String {
        let setting = server.isMariaDB ? "max_recursive_iterations" : "cte_max_recursion_depth"
        return """
            CREATE TABLE large (id int PRIMARY KEY, v varchar(200)) ENGINE = InnoDB;
            SET SESSION \(setting) = 1000000;
            INSERT INTO large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
              SELECT i, REPEAT('x', 180) FROM n
            """
    }

    /// A target with all rows of the source, whose restore the server has then refused to go on with.
    ///
    /// A procedure is of another collation, for which the account may alter its tables and not the database.
    ///
    /// `there`: What makes the tables that are there before.
    private func stuck(
        _ bench: MySQLBench, _ tables: [String], there: String? = nil, _ words: [String] = []
    ) async throws -> MySQLTestDatabase {
        try await bench.source.query(
            "CREATE PROCEDURE p() SELECT 1; ALTER DATABASE COLLATE utf8mb4_unicode_520_ci")
        _ = try await bench.backUp()
        let target = bench.other("target")
        try await bench.server.query(
            "CREATE DATABASE \(target.name) COLLATE utf8mb4_unicode_520_ci")
        if let there { try await target.query(there) }
        let account = try await target.createAccount(
            "maker",
            tables.map { "CREATE, ALTER ON {}.\($0)" } + [
                """
                SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, \
                CREATE ROUTINE ON {}.*
                """
            ])
        let refused = try await bench.dbtool(
            [
                "restore", "latest", "-path", bench.repository, "--into", target.name,
                "--no-owner",
            ] + words, as: account)
        #expect(refused.code != 0 && refused.errors.contains("denied"), "\(refused)")
        return target
    }

    /// Marks a table of MyISAM as the storage engine does that finds it damaged.
    ///
    /// Behind the 24 bytes of its header is how often it is open, in two, and then what has become of it: 2 is a crash.
    private func damage(_ table: String, of target: MySQLTestDatabase) async throws {
        try await target.query("FLUSH TABLES \(table)")
        let folder = try await target.server.query("SELECT @@datadir")
        let file = try FileHandle(
            forWritingTo: URL(fileURLWithPath: "\(folder)/\(target.name)/\(table).MYI"))
        try file.seek(toOffset: 26)
        try file.write(contentsOf: Data([2]))
        try file.close()
    }

    /// The tables that the mark calls loaded.
    private func loaded(in target: MySQLTestDatabase) async throws -> String {
        try await target.query(
            "SELECT name FROM dbtool_restore WHERE what = 'loaded' ORDER BY name")
    }

    private func sessions(
        in target: MySQLTestDatabase, _ condition: String
    ) async throws -> [String] {
        try await target.server.query(
            """
            SELECT p.ID FROM information_schema.PROCESSLIST p
            LEFT JOIN information_schema.INNODB_TRX t ON t.trx_mysql_thread_id = p.ID
            WHERE p.DB = '\(target.name)' AND (\(condition))
            """
        ).split(separator: "\n").map(String.init)
    }

    /// Sessions that wait for a lock on rows or on a table.
    private func waiting(in target: MySQLTestDatabase) async throws -> [String] {
        try await sessions(
            in: target, "t.trx_state = 'LOCK WAIT' OR p.STATE LIKE '%metadata lock%'")
    }

    /// Runs `body` while a session holds what `lock` takes, which sleeps at its end.
    private func holding<Value: Sendable>(
        _ lock: String, in target: MySQLTestDatabase, _ body: () async throws -> Value
    ) async throws -> Value {
        let sleeping = "p.INFO LIKE 'DO SLEEP%'"
        let holder = Task { try await target.query(lock) }
        let outcome: Result<Value, any Error>
        do {
            try await eventually("a lock is held") {
                try await !sessions(in: target, sleeping).isEmpty
            }
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        for session in try await sessions(in: target, sleeping) {
            try await target.server.query("KILL \(session)")
        }
        _ = try? await holder.value
        return try outcome.get()
    }
}
