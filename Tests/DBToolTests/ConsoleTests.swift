import BackupTesting
import Foundation
import Testing

/// The console without a terminal: lines in, results out, and nothing written without consent.
@Suite struct ConsoleTests {
    @Test(arguments: TestServer.all)
    func `the lines of the manual work as they are written`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("console")
            try await source.query(
                """
                CREATE TABLE users (id integer PRIMARY KEY, name text); CREATE TABLE orders (id integer PRIMARY KEY);
                INSERT INTO users SELECT i, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'n' || i END FROM generate_series(1, 200) i
                """)
            let end = try await bench.console(
                source,
                """
                help
                full database -path '\(bench.repository)' -compress true
                full tables -tablename users -tablename orders -path "\(bench.repository)" -compress false
                differential backup
                SQL SELECT * FROM users WHERE id < 100
                SQL SELECT * FROM users -extract -path '\(bench.folder)/my exports'
                dbtool help full database
                dbtool list
                exit
                never read
                """)
            #expect(end.code == 0, "\(end)")
            for words in [
                "full database", "\n 1\n", "\n 3  NULL", "99  NULL", "--exclude-tablename",
                "└ differential",
            ] {
                #expect(end.output.contains(words), "\(words) in \(end)")
            }
            #expect(try bench.storedBackups().count == 3)
            let folder = "\(bench.folder)/my exports"
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            let file = try #require(files.first)
            #expect(files.count == 1 && file.hasPrefix("users_") && file.hasSuffix(".csv"))
            let stored = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let rows = try await bench.dbtool([
                "rows", "latest", "users", "-path", bench.repository, "--database", source.name,
            ])
            #expect(stored == rows.output)
        }
    }

    /// What may write, however it looks: nothing of it may happen.
    static let tricks = [
        "DELETE FROM t", "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "SELECT writes()",
        "SELECT 1 FROM t WHERE writes() > 0", "DO $$ BEGIN DELETE FROM t; END $$", "TRUNCATE t",
        "SELECT 1; DELETE FROM t", "SELECT 1; COMMIT; DELETE FROM t", "/* SELECT */ DELETE FROM t",
        "-- SELECT\\\nDELETE FROM t", "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t",
        "EXPLAIN (analyze true) INSERT INTO t VALUES (9)",
        "COPY t FROM PROGRAM 'echo 9'", "COPY t TO '/tmp/dbtool-console-test'",
        "COPY (DELETE FROM t RETURNING *) TO STDOUT", "SET transaction_read_only = off",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "RESET ALL", "BEGIN READ WRITE",
        "SET TRANSACTION READ WRITE", "COMMIT", "SELECT * INTO copied FROM t",
        "CREATE TABLE copied AS SELECT * FROM t", "SELECT nextval('s')",
        "SELECT * FROM t FOR UPDATE",
        "SELECT lo_create(77)", "CALL does()", "PREPARE p AS DELETE FROM t", "EXECUTE p",
        "DECLARE c CURSOR WITH HOLD FOR SELECT writes()", "VALUES (writes())",
        "TABLE t; DROP TABLE t",
        "SELECT set_config('transaction_read_only', 'off', false), writes()", "LOCK t", "NOTIFY n",
        "MERGE INTO t USING t o ON t.id = o.id WHEN MATCHED THEN DELETE", "VACUUM t", "ANALYZE t",
        "SELECT 'x' UNION ALL SELECT writes()::text", "SELECT $$;$$; DROP TABLE t",
        "SELECT ';'';' ; DELETE FROM t --",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; SELECT 1; END",
    ]

    @Test(arguments: TestServer.all)
    func `nothing is written without consent`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("tricks")
            try await source.query(
                """
                CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE SEQUENCE s;
                CREATE FUNCTION writes() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN 1; END $$;
                CREATE PROCEDURE does() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; COMMIT; END $$;
                """)
            let state = """
                SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM pg_class WHERE relname = 'copied'),
                       (SELECT is_called FROM s), (SELECT count(*) FROM pg_proc WHERE proname = 'f'),
                       (SELECT count(*) FROM pg_largeobject_metadata)
                """
            let before = try await source.query(state)
            let lines = Self.tricks.map { "SQL \($0)" }.joined(separator: "\n")
            let end = try await bench.console(
                source, lines + "\nSQL SELECT 'the end'\n", ["--keep-going"])
            #expect(end.code != 0, "\(end)")
            #expect(end.output.contains("the end"), "\(end)")
            #expect(end.errors.contains("skipped: DELETE FROM t"), "\(end)")
            #expect(try await source.query(state) == before)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/dbtool-console-test"))
            for trick in Self.tricks {
                _ = try await bench.dbtool(
                    ["sql", trick.replacing("\\\n", with: "\n")] + bench.connection()
                        + ["--database", source.name])
            }
            #expect(try await source.query(state) == before)
        }
    }

    @Test(arguments: TestServer.all)
    func `with consent statements run in one session, transactions included`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("writes")
            let end = try await bench.console(
                source,
                """
                SQL CREATE TABLE t (id integer PRIMARY KEY, v text)
                SQL INSERT INTO t SELECT i, 'v' FROM generate_series(1, 5) i RETURNING id
                SQL BEGIN; DELETE FROM t WHERE id > 2
                SQL SELECT count(*) AS inside FROM t
                SQL SELECT 1/0
                SQL ROLLBACK
                SQL
                CREATE FUNCTION f() RETURNS text
                LANGUAGE sql AS $$ SELECT 'a;b'; $$;
                SQL SELECT f(), count(*) AS after FROM t -format jsonl
                """, ["--allow-writes", "--keep-going"])
            #expect(end.output.contains("inside\n------\n     2"), "\(end)")
            #expect(end.errors.contains("division by zero (SQLSTATE 22012)"), "\(end)")
            #expect(end.output.contains("{\"f\": \"a;b\", \"after\": 5}"), "\(end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `what nobody commits is told, and notifications are sent`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("open")
            try await source.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
            func sql(_ statement: String, _ words: [String] = []) async throws -> ProgramEnd {
                try await bench.dbtool(
                    ["sql", statement] + words + bench.connection() + ["--database", source.name])
            }
            let open = try await sql("BEGIN; DELETE FROM t", ["--allow-writes"])
            open.expect(code: 1, saying: "the transaction that was open is rolled back")
            #expect(try await source.query("SELECT count(*) FROM t") == "1")
            // As a reading it would be undone, and nobody would hear of it.
            let statement = "SELECT pg_notify('a', 'b')"
            #expect(try await sql(statement).code == 1)
            try await sql(statement, ["--allow-writes"]).requireCode(0)
        }
    }

    /// In quotes a backslash at the end of a line is a part of the text.
    @Test(arguments: TestServer.all)
    func `a text keeps the backslash before its line end`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("backslash")
            try await source.query("CREATE TABLE t (v text)")
            let end = try await bench.console(
                source, "SQL INSERT INTO t VALUES ('C:\\\nx')\nSQL INSERT INTO t VALUES ( \\\n'y')",
                ["--allow-writes"])
            #expect(end.code == 0, "\(end)")
            #expect(
                try await source.query(
                    "SELECT string_agg(encode(convert_to(v, 'UTF8'), 'hex'), ' ') FROM t")
                    == "433a5c0a78 79")
        }
    }

    @Test(arguments: TestServer.all)
    func `an extract is what COPY writes, and backslashes are no escapes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("extract")
            try await source.query(
                """
                ALTER DATABASE \(source.name) SET standard_conforming_strings = off;
                CREATE TABLE t (id integer, "a ""q"", é" text, b bytea, n numeric, f float8, j jsonb, ts timestamptz, x integer[]);
                """)
            try await source.query(
                """
                INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, '', '', 'NaN', 'Infinity', 'null', 'infinity', '{}'),
                    (3, E'\\\\.', E'\\\\x00ff', 1.50, -0.0, '{"a": 1}', '0044-03-15 BC', '{1,NULL}'), (4, E'a\r\nb', 'x', 0, 1e300, '[]', now(), NULL),
                    (5, '"', 'y', -1, 0.1, '"j"', '2026-01-01', NULL), (6, ',', 'z', 1, 1, '1', '2026-01-01', NULL), (7, repeat('é', 100000), NULL, 1, 1, NULL, NULL, NULL)
                """)
            let query = "SELECT * FROM t ORDER BY id"
            let end = try await bench.dbtool(
                ["sql", query, "-format", "csv"] + bench.connection() + ["--database", source.name])
            let copied = try await source.query("COPY (\(query)) TO STDOUT (FORMAT csv, HEADER)")
            #expect(end.code == 0 && end.output == copied + "\n", "\(end)")
            let split = try await bench.console(
                source, #"SQL SELECT 'a\'; SELECT 'b' -format csv"#, ["--allow-writes"])
            #expect(split.output == "?column?\na\\\n?column?\nb\n", "\(split)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a line that fails ends the rest, and says where and why`(server: TestServer) async throws
    {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let stopped = try await bench.console(
                source, "SQL SELECT * FRO pets\nSQL SELECT 42 AS later\n")
            #expect(stopped.code == 1 && !stopped.output.contains("later"), "\(stopped)")
            #expect(stopped.errors.contains("  SELECT * FRO pets\n           ^"), "\(stopped)")
            #expect(stopped.errors.contains("SQLSTATE 42601"))
            let gone = try await bench.console(
                source, "lst\nSQL SELECT 42 AS later", ["--keep-going"])
            #expect(gone.code == 2 && gone.output.contains("later"), "\(gone)")
            #expect(gone.errors.contains("Nearest: list"), "\(gone)")
            let one = try await bench.dbtool(
                ["backup", "-c", "SQL SELECT count(*) FROM pets"] + bench.connection()
                    + ["--database", source.name])
            #expect(one.code == 0 && one.output.hasPrefix("count\n-----\n"), "\(one)")
            for (text, words) in [
                ("SQL SELECT 'open", "open"), ("SQL", "there is no statement"),
                ("SQL SELECT 1 -extract -format xml", "there is no format xml"),
                (
                    "SQL INSERT INTO pets VALUES ('x', 1) -extract -path \(bench.folder)",
                    "only what reads"
                ),
            ] {
                let end = try await bench.console(source, text)
                #expect(end.code == 2 && end.errors.contains(words), "\(end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a long result is streamed, and Ctrl-C ends it`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            func files() -> [String] {
                (try? FileManager.default.contentsOfDirectory(atPath: "\(bench.folder)/out")) ?? []
            }
            for sql in [
                "SELECT i, repeat('x', 500) FROM generate_series(1, 50000000) i",
                "SELECT pg_sleep(600)",
            ] {
                let clock = ContinuousClock.now
                let end = try await bench.dbtool(
                    ["sql", sql, "-extract", "-path", "\(bench.folder)/out"] + bench.connection()
                        + ["--database", source.name]
                ) { running in
                    try await eventually("the file of its rows is there") {
                        !files().isEmpty
                    }
                    try running.send(SIGINT)
                }
                #expect(end.code == 130, "\(end)")
                #expect(ContinuousClock.now - clock < .seconds(300))
                #expect(files().filter { !$0.hasPrefix(".") } == [])
                try? FileManager.default.removeItem(atPath: "\(bench.folder)/out")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what an extract that was killed has left goes with the next one`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("killed")
            let words =
                ["-extract", "-path", "\(bench.folder)/out"] + bench.connection()
                + ["--database", source.name]
            func files() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: "\(bench.folder)/out")
            }
            let killed = try await bench.dbtool(["sql", "SELECT pg_sleep(60)"] + words) { running in
                try await bench.untilWaiting(source, ["PgSleep"])
                try running.send(SIGKILL)
            }
            #expect(killed.code == 128 + SIGKILL, "\(killed)")
            #expect(try files().count == 1)
            try await bench.dbtool(["sql", "SELECT 1"] + words).requireCode(0)
            let left = try files()
            #expect(left.count == 1 && left.first?.hasSuffix(".csv") == true, "\(left)")
        }
    }

    @Test(arguments: TestServer.all)
    func `what is no text is not sent as something else, and no line is too long`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let odd = try await bench.consoleReading(
                #"""
                printf 'SQL SELECT 40 + 1\nSQL SELECT "\377"\nSQL SELECT 2\0; SELECT 3\nSQL SELECT $$\n\376\n$$\n\377\r\nSQL SELECT 40 + 2\r\n'
                """#, source, ["--keep-going"])
            #expect(odd.code == 2, "\(odd)")
            #expect(odd.output == "?column?\n--------\n      41\n?column?\n--------\n      42\n")
            for words in [
                "line 2 is not", "line 3 holds a zero byte", "line 5 is not", "line 7 is not",
            ] {
                #expect(odd.errors.contains(words), "\(words) in \(odd)")
            }
            let word = try await bench.shell(
                "'\(DBToolBinary.path())' sql \"$(printf 'SELECT \\377')\" --database \(source.name)"
            )
            #expect(word.code == 2 && word.errors.contains("argument 2 is not text"), "\(word)")
            let long = try await bench.consoleReading(
                """
                printf "SQL SELECT length('"; head -c 8000000 /dev/zero | tr '\\0' x; echo "')"
                echo SQL; echo 'SELECT count(*), max(a) FROM (VALUES (0)'; seq -f ', (%.0f)' 20000; echo ') t (a);'
                """, source)
            #expect(long.code == 0, "\(long.errors)")
            #expect(long.output.contains("8000000") && long.output.contains("20001  20000"))
        }
    }

    @Test(arguments: TestServer.all)
    func `Ctrl-C ends a backup at the console, not the console`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let prompt = "\(source.name)>"
            // The backup waits for the lock until it is interrupted.
            _ = try await source.query("BEGIN; LOCK TABLE pets; SELECT pg_sleep(600)") { blocker in
                try await bench.untilWaiting(source, ["PgSleep"])
                let end = try await bench.onConsole(source, ["NO_COLOR": "1"]) { terminal in
                    try await terminal.press(
                        "full database --lock-timeout 3600\n", behind: prompt)
                    try await bench.untilWaiting(source, ["relation"])
                    try terminal.press("\u{3}")
                    try await terminal.press("SQL SELECT 40 + 2\n", behind: prompt)
                    try await terminal.press("SQL SELECT NULL\n", behind: prompt)
                    try await terminal.press("\u{4}", behind: prompt)
                }
                #expect(end.output.contains("interrupted"), "\(end)")
                #expect(end.output.contains("42") && !end.output.contains("\u{1B}[2m"), "\(end)")
                try blocker.send(SIGINT)
            }
            try bench.expectNothingStored()
        }
    }

    @Test(arguments: TestServer.all)
    func `a person edits lines, completes words and is asked before anything is written`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.createDatabase("typed")
            try await source.query(
                """
                CREATE TABLE "Odd Name" (id integer); INSERT INTO "Odd Name" VALUES (41);
                CREATE TABLE longname (id integer); INSERT INTO longname VALUES (77), (78);
                CREATE FUNCTION writes() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "Odd Name"; RETURN 1; END $$;
                CREATE FUNCTION sly() RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN writes(); END $$
                """)
            let prompt = "\(source.name)>"
            let question = "Run it? [y/N]"
            let end = try await bench.onConsole(source, ["LANG": "C.UTF-8"]) { terminal in
                try await terminal.press("li\t\n", behind: prompt)
                try await terminal.untilEditing(behind: prompt)
                try await terminal.complete("SQL SELECT id + 1000 FROM lon")
                try terminal.press("WHERE id = 77\n")
                try await terminal.untilEditing(behind: prompt)
                try await terminal.complete("SQL SELECT id + 2000 FROM \"Od")
                try terminal.press("\n")
                // Answers are typed once the question is there: what comes before is none. The planner runs what says that it is
                // immutable. At the question Ctrl-C is a no, and needs no Enter.
                for (line, answer) in [
                    ("SQL DELETE FROM longname\n", "n\n"),
                    ("SQL SELECT 'given up'\u{3}", nil),
                    ("SQL DELETE FROM longname WHERE id = 78\n", "y\n"),
                    ("SQL SELECT count(*) + 500 FROM longname\n", nil),
                    ("SQL DELETE FROM longname WHERE id = sly()\n", "n\n"),
                    ("SQL DELETE FROM longname\n", "\u{3}"),
                    ("SQL SELECT count(*) + 600 FROM \"Odd Name\"\n", nil),
                    ("SQL SELECT NULL\n", nil), ("\u{4}", nil),
                ] as [(String, String?)] {
                    try await terminal.press(line, behind: prompt)
                    guard let answer else { continue }
                    try await terminal.untilShown(question)
                    try terminal.press(answer)
                }
            }
            for words in [
                "superuser", "there is no folder", "1077", "2041", "DELETE may write, about ",
                "not run", "501", "DELETE 1", "601", "\u{1B}[2mNULL\u{1B}[0m",
            ] {
                #expect(end.output.contains(words), "\(words) in \(end)")
            }
            #expect(!end.output.contains("given up\r\n---"), "\(end)")
            #expect(try await source.query("SELECT count(*) FROM longname") == "1")
        }
    }

    @Test(arguments: TestServer.all)
    func `output that cannot be written is an error, and one that nobody reads is none`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("output")
            try await source.query("CREATE TABLE t (id integer)")
            let words =
                (bench.connection() + ["--database", source.name]).map { "'\($0)'" }
                .joined(separator: " ")
            let dbtool = "'\(try DBToolBinary.path())'"
            let rows = "SELECT i FROM generate_series(1, 300000) i"
            for format in ["table", "csv", "jsonl"] {
                let full = try await bench.shell(
                    "\(dbtool) sql '\(rows)' -format \(format) \(words) > /dev/full")
                full.expect(code: 1, saying: "cannot write to standard output: No space left")
                let left = try await bench.shell(
                    """
                    (\(dbtool) sql '\(rows)' -format \(format) \(words); echo $? >&2) | head -n 1
                    """)
                #expect(left.errors == "0\n", "\(left)")
            }
            let help = try await bench.shell("\(dbtool) --help > /dev/full")
            #expect(help.code != 0 && help.errors.contains("standard output"), "\(help)")
            // What writes goes on to its end although nobody reads what it returns.
            let write = try await bench.shell(
                "\(dbtool) sql 'INSERT INTO t \(rows) RETURNING id' --allow-writes -format csv \(words) | head -n 1"
            )
            #expect(write.code == 0, "\(write)")
            #expect(try await source.query("SELECT count(*) FROM t") == "300000")
        }
    }

    @Test(arguments: TestServer.all)
    func `what belongs to a lost transaction is not run outside it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("lost")
            try await source.query("CREATE TABLE t (id integer)")
            let end = try await bench.console(
                source,
                """
                SQL BEGIN; INSERT INTO t VALUES (1)
                SQL SELECT pg_terminate_backend(pg_backend_pid()) FROM t
                SQL INSERT INTO t VALUES (2)
                SQL COMMIT
                SQL INSERT INTO t VALUES (3)
                SQL ROLLBACK
                SQL INSERT INTO t VALUES (4)
                """, ["--allow-writes", "--keep-going"])
            #expect(end.code != 0 && end.errors.contains("ROLLBACK"), "\(end)")
            #expect(try await source.query("SELECT * FROM t") == "4", "\(end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `Ctrl-C ends a statement that waits for a lock`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await source.query("BEGIN; LOCK TABLE pets; SELECT pg_sleep(600)") { blocker in
                try await bench.untilWaiting(source, ["PgSleep"])
                for sql in ["SELECT count(*) FROM pets", "DELETE FROM pets"] {
                    let end = try await bench.dbtool(
                        ["sql", sql, "--allow-writes"] + bench.connection()
                            + ["--database", source.name]
                    ) { running in
                        try await bench.untilWaiting(source, ["relation"])
                        try running.send(SIGINT)
                    }
                    #expect(end.code == 130, "\(end)")
                }
                try blocker.send(SIGINT)
            }
            #expect(try await source.query("SELECT count(*) FROM pets") == "500")
        }
    }

    @Test(arguments: TestServer.all)
    func `remarks are shown, nothing commands the terminal, and line ends of literals stay`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("remarks")
            let end = try await bench.console(
                source,
                "SQL DROP TABLE IF EXISTS nothing -- SELECT\r\n"
                    + "SQL DO $$ BEGIN RAISE NOTICE 'a%b', chr(27) || '[2J'; END $$\n"
                    + "SQL SELECT length('a\r\nb') AS four\n" + "SQL SELECT 10 \\\r\n+ 31 AS n\r\n"
                    + "SQL SELECT 7 AS seven -format csv;\n"
                    + "SQL DO $$ BEGIN RAISE EXCEPTION 'c%d', chr(27) || '[2J'; END $$\n",
                ["--allow-writes"])
            #expect(end.code == 1, "\(end)")
            for words in ["table \"nothing\" does not exist, skipping", "NOTICE:  a"] {
                #expect(end.errors.contains(words), "\(words) in \(end)")
            }
            #expect(!end.errors.contains("\u{1B}"), "\(end)")
            #expect(end.output == "four\n----\n   4\n n\n--\n41\nseven\n7\n", "\(end)")
            for (line, words) in [
                ("SQL SELECT 1 -format csv -path /tmp/x", "-path is where -extract writes"),
                ("SQL SELECT 1 -extract -path \"\"", "-path names no folder"),
                ("SQL SELECT 1 -extract -format table", "not tables"),
                ("select 1", "Statements have SQL in front: SQL select"),
            ] {
                try await bench.console(source, line).expect(code: 2, saying: words)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what was cut off is not run, and what is open at the end is not lost silently`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("cut")
            try await source.query(
                "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)")
            for text in ["SQL\nDELETE FROM t\n", "SQL DELETE FROM t \\\n"] {
                let cut = try await bench.console(source, text, ["--allow-writes"])
                cut.expect(code: 2, saying: "the input ended before the statement did")
            }
            let failed = try await bench.console(
                source,
                """
                SQL BEGIN
                SQL INSERT INTO t VALUES (1)
                SQL SELECT 1 AS refused
                SQL ROLLBACK
                SQL INSERT INTO t VALUES (2)
                SQL BEGIN; SAVEPOINT a
                SQL INSERT INTO t VALUES (1)
                SQL ROLLBACK TO a
                SQL INSERT INTO t VALUES (3); COMMIT
                SQL BEGIN; INSERT INTO t VALUES (4)
                """, ["--allow-writes", "--keep-going"])
            #expect(failed.code == 1 && failed.errors.contains("25P02"), "\(failed)")
            #expect(failed.errors.contains("the transaction that was open is rolled back"))
            let rows = try await source.query("SELECT string_agg(id::text, ',' ORDER BY id) FROM t")
            #expect(rows == "1,2,3", "\(failed)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a statement that is given up is given up whole, and its secrets with it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.createDatabase("given_up")
            let prompt = "\(source.name)>"
            let more = String(repeating: ".", count: prompt.count)
            let end = try await bench.onConsole(source, ["NO_COLOR": "1"]) { terminal in
                for (prompt, line) in [
                    (prompt, "SQL SELECT (40 +\n"), (more, "\u{3}"),
                    (prompt, "SQL SELECT 500 + 5\n"), (prompt, "SQL\n"),
                    (more, "ALTER ROLE nobody ENCRYPTED PASSWORD\n"), (more, "'swordfish'\n"),
                    (more, "\u{3}"), (prompt, "SQL SELECT 600 +\\\n"), (more, "6\n"),
                    (prompt, "SQL SELECT pg_sleep(600)\n"),
                ] {
                    try await terminal.press(line, behind: prompt)
                }
                // At last somebody ends the program, as at the end of a session.
                try await bench.untilWaiting(source, ["PgSleep"])
                try terminal.send(SIGTERM)
            }
            let history = try String(
                contentsOfFile: "\(bench.folder)/state/dbtool/history", encoding: .utf8)
            #expect(end.output.contains("505") && end.output.contains("606"), "\(end)")
            #expect(history.contains("500") && !history.contains("swordfish"), "\(history)")
            try await bench.untilGone(source)
        }
    }

    @Test(arguments: TestServer.all)
    func `no secret of a statement is shown or logged`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("secret")
            let secret = "ALTER ROLE nobody PASSWORD 'swordfish'"
            let skipped = try await bench.dbtool(
                ["sql", secret] + bench.connection() + ["--database", source.name])
            #expect(skipped.errors.contains("may hold a password"), "\(skipped)")
            let failed = try await bench.console(source, "SQL \(secret)", ["--allow-writes"])
            #expect(failed.code != 0 && !(skipped.errors + skipped.output).contains("swordfish"))
            let found = try await bench.shell("grep -rl swordfish \"$XDG_STATE_HOME\" \"$HOME\"")
            #expect(found.output == "", "\(found)")
        }
    }
}

extension Workbench {
    /// Runs `dbtool backup` on a terminal.
    fileprivate func onConsole(
        _ database: TestDatabase, _ environment: [String: String],
        typing: (TestTerminal) async throws -> Void
    ) async throws -> ProgramEnd {
        try await onTerminal(
            [DBToolBinary.path(), "backup", "-path", repository] + connection()
                + ["--database", database.name], environment: environment, typing: typing)
    }

    /// Runs `dbtool backup` with lines from standard input.
    fileprivate func console(
        _ database: TestDatabase, _ lines: String, _ words: [String] = []
    ) async throws -> ProgramEnd {
        let file = try write(lines, to: "\(uniqueName("lines")).txt")
        return try await consoleReading("cat '\(file)'", database, words)
    }

    /// Runs `dbtool backup` with what commands of a shell print.
    fileprivate func consoleReading(
        _ commands: String, _ database: TestDatabase, _ words: [String] = []
    ) async throws -> ProgramEnd {
        let arguments =
            ["backup", "--db", "postgres", "--config", "manual", "--storage", "local"]
            + connection() + ["--database", database.name, "-path", repository] + words
        let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
        return try await shell("(\(commands)\n) | '\(DBToolBinary.path())' \(quoted)")
    }
}
