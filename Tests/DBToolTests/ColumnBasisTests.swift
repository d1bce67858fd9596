import BackupTesting
import Foundation
import Testing

/// Differentials by a column of times: what it finds, what it cannot see, and what mends that.
@Suite struct ColumnBasisTests {
    @Test(arguments: TestServer.all)
    func `a column finds everything that it tells, whatever its values are`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("column")
            try await source.query(
                """
                CREATE TABLE go ();
                CREATE TABLE t (a text, id integer, v text, updated_at timestamptz DEFAULT now(), PRIMARY KEY (a, id));
                INSERT INTO t SELECT 'k,' || i, i, 'v', now() - '90 days'::interval FROM generate_series(1, 3000) i;
                UPDATE t SET updated_at = '9999-12-31' WHERE id = 1;
                UPDATE t SET updated_at = 'infinity' WHERE id = 2; UPDATE t SET updated_at = '-infinity' WHERE id = 3;
                UPDATE t SET updated_at = NULL WHERE id = 4; UPDATE t SET updated_at = now() + '3 hours'::interval WHERE id = 5;
                UPDATE t SET updated_at = '0044-03-15 12:00 BC' WHERE id = 6;
                CREATE TABLE without (id integer PRIMARY KEY, v text); INSERT INTO without VALUES (1, 'v'), (2, 'v');
                """)
            let late = """
                BEGIN; UPDATE t SET v = 'late', updated_at = now() WHERE id = 10;
                DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;
                COMMIT
                """
            _ = try await source.query(late) { _ in
                try await eventually("the late transaction waits") {
                    try await source.query(
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %'") == "1"
                }
                // Later times are committed and in the parent before the late ones are.
                try await source.query(
                    "SELECT pg_sleep(1.5); UPDATE t SET v = 'w', updated_at = now() WHERE id BETWEEN 20 AND 30"
                )
                _ = try await bench.backUp(source)
                try await source.query("INSERT INTO go DEFAULT VALUES")
            }
            try await source.query(
                """
                UPDATE t SET v = 'x' WHERE id BETWEEN 1 AND 5; UPDATE t SET v = 'x', updated_at = now() WHERE id = 6;
                UPDATE t SET v = 'new', updated_at = now() WHERE id % 100 = 7; DELETE FROM t WHERE id % 100 = 8;
                INSERT INTO t SELECT E'"old\\\\,''\\n', -i, 'import', '2001-01-01' FROM generate_series(1, 1500) i;
                UPDATE without SET v = 'w' WHERE id = 2;
                """)
            let words = ["-basis", "column", "--overlap", "0"]
            let point = try await bench.differential(source, words)
            let change = try #require(point.change("t"))
            #expect(change.basis == "column" && change.tombstones == 30, "\(change)")
            #expect(change.rows == 1500 + 30 + 6 + 1, "\(change)")
            #expect(point.change("without")?.basis == "xmin")
            #expect(point.change("without")?.reason.contains("it has no updated_at") == true)
            #expect(point.report["exact"].boolean == false)
            for verb in ["list", "show"] {
                let end = try await bench.dbtool(
                    [verb] + (verb == "show" ? [point.id] : []) + ["-path", bench.repository])
                #expect(end.output.contains(verb == "list" ? "not exact" : "exact"), "\(end)")
            }
            let verified = try await bench.dbtool(["verify", point.id, "-path", bench.repository])
            #expect(verified.code == 0 && verified.output.contains("exact   no"), "\(verified)")
            try await bench.expectEqual(source, bench.restored())
        }
    }

    @Test(arguments: TestServer.all)
    func `what a column hid is found by the next exact point`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("lies")
            try await source.query(
                """
                CREATE TABLE t (id integer PRIMARY KEY, v text, "Changed" timestamp(0) NOT NULL);
                INSERT INTO t SELECT i, 'v', now() - i * '1 day'::interval FROM generate_series(1, 2000) i;
                CREATE TABLE u (id integer PRIMARY KEY, n bigint);
                INSERT INTO u SELECT i, i FROM generate_series(1, 2000) i;
                """)
            _ = try await bench.backUp(source)
            try await source.query("UPDATE u SET n = 9000 WHERE id = 1")
            let column = ["-basis", "column:Changed"]
            for words in [[], ["-basis", "compare"]] {
                try await source.query("UPDATE t SET v = v || ' hidden' WHERE id = 5")
                let hiding = try await bench.incremental(source, column)
                let wanted = TableChange(
                    mode: "unchanged", basis: "column", reason: hiding.change("t")?.reason ?? "")
                #expect(hiding.change("t") == wanted)
                #expect(hiding.report["exact"].boolean == false)
                let seen = try await bench.restored(hiding.id)
                let row = "SELECT v FROM t WHERE id = 5"
                #expect(try await seen.query(row) != source.query(row))
                let mending = try await bench.incremental(source, words)
                #expect(mending.change("t")?.rows == 1)
                #expect(mending.change("t")?.basis == (words.isEmpty ? "xmin" : "compare"))
                #expect(mending.report["exact"].boolean == true)
                try await bench.expectEqual(source, bench.restored())
            }
            let numbers = try await bench.incremental(
                source, ["-basis", "column:n", "--monotonic", "--overlap", "10"])
            #expect(numbers.change("u")?.basis == "column" && numbers.change("u")?.rows == 0)
            try await source.query(
                "UPDATE u SET n = 9001 WHERE id % 100 = 0; UPDATE u SET n = 8995 WHERE id = 9")
            let more = try await bench.incremental(
                source, ["-basis", "column:n", "--monotonic", "--overlap", "10"])
            #expect(more.change("u")?.rows == 21)
        }
    }

    @Test(arguments: TestServer.all)
    func `a column that cannot tell is refused by its name and type, and another is warned of`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("types")
            try await source.query(
                """
                CREATE TABLE d (id integer PRIMARY KEY, updated_at date, at timestamptz);
                CREATE TABLE n (id integer PRIMARY KEY, version integer, made timestamptz DEFAULT now());
                INSERT INTO n VALUES (1, 1, now() + '2 days'::interval);
                """)
            _ = try await bench.backUp(source)
            for (basis, words) in [
                ("column", "public.d.updated_at is date"), ("column:updated_at", "is date"),
                ("column:version", "--monotonic"),
                ("column:nothing", "no table has a column nothing"),
                ("column:", "column:NAME"), ("time", "column:NAME"),
            ] {
                try await bench.dbtool(
                    ["differential", "backup", "-path", bench.repository, "-basis", basis]
                        + bench.connection() + ["--database", source.name]
                ).expect(code: 2, saying: words)
            }
            let end = try await bench.dbtool(
                ["differential", "backup", "-path", bench.repository, "-basis", "column:made"]
                    + bench.connection() + ["--database", source.name])
            #expect(end.code == 0, "\(end)")
            for words in ["may be NULL", "values in the future", "no trigger sets it"] {
                #expect(end.errors.contains(words), "\(end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `where nobody knows when a transaction began, rows are compared`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("prepared")
            try await source.query(
                """
                CREATE TABLE t (id integer PRIMARY KEY, v text, updated_at timestamptz NOT NULL);
                INSERT INTO t SELECT i, 'v', now() FROM generate_series(1, 500) i;
                BEGIN; UPDATE t SET v = 'p', updated_at = '2020-01-01' WHERE id = 3; PREPARE TRANSACTION '\(source.name)';
                """)
            let full = try await bench.full(source)
            try await source.query("COMMIT PREPARED '\(source.name)'")
            try full.requireCode(0)
            let change = try await bench.differential(source, ["-basis", "column"]).change("t")
            #expect(change?.basis == "compare" && change?.rows == 1)
            #expect(change?.reason.contains("oldest transaction") == true)
            try await bench.expectEqual(source, bench.restored())
        }
    }
}
