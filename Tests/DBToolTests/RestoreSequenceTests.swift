import BackupTesting
import Foundation
import Testing

/// No sequence stands behind rows that it has numbered, whoever writes beside a restore.
@Suite struct RestoreSequenceTests {
    @Test(arguments: TestServer.all)
    func `whoever waits for a table that is replaced gets numbers behind its rows`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("SELECT setval('people_id_seq', 3000)")
            let replace = ["--existing", "truncate"]
            let hold = "BEGIN; SELECT FROM people LIMIT 1; SELECT pg_sleep(600)"
            let write = "INSERT INTO people (name) SELECT 'late' FROM generate_series(1, 20000)"
            _ = try await target.query(hold) { blocker in
                try await bench.untilSessions(of: target, "wait_event = 'PgSleep'")
                let end = try await bench.restore(tables: ["people"], into: target, replace) { _ in
                    try await bench.untilSessions(of: target, "wait_event_type = 'Lock'")
                    let writer = try await target.query(write) { _ in
                        try await bench.untilSessions(of: target, "wait_event_type = 'Lock'", 2)
                        try blocker.send(SIGINT)
                    }
                    #expect(writer.code == 0, "\(writer)")
                }
                #expect(end.code == 0, "\(end)")
            }
            #expect(
                try await target.query(
                    "SELECT min(id) FILTER (WHERE name = 'late'), max(id), s.last_value "
                        + "FROM people, people_id_seq s GROUP BY s.last_value")
                    == "1001|21000|21000")
        }
    }

    @Test(arguments: TestServer.all)
    func `a sequence that ends too early is found before any row is touched`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                "ALTER SEQUENCE people_id_seq AS bigint MAXVALUE 9000000000; SELECT setval('people_id_seq', 3000000000)"
            )
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let narrow = "ALTER SEQUENCE people_id_seq RESTART 5 MAXVALUE 2000000000"
            try await target.query("SELECT setval('people_id_seq', 5); \(narrow)")
            try await target.query("UPDATE people SET name = 'kept' WHERE id = 1")
            let replace = ["--existing", "truncate"]
            try await bench.restore(tables: ["people"], into: target, replace).expect(
                code: 1, saying: "end before what the backup has: public.people_id_seq",
                "ALTER SEQUENCE public.people_id_seq")
            #expect(try await target.query("SELECT name FROM people WHERE id = 1") == "kept")
            try await target.query("ALTER SEQUENCE people_id_seq AS bigint NO MAXVALUE NO MINVALUE")
            try await bench.restore(tables: ["people"], into: target, replace).requireCode(0)
            #expect(try await target.query("SELECT last_value FROM people_id_seq") == "3000000000")
        }
    }

    /// It may be set, but whether it is further already cannot be seen.
    @Test(arguments: TestServer.all)
    func `a sequence that may not be read is named before any row is touched`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                "CREATE SEQUENCE numbers; GRANT USAGE, UPDATE ON SEQUENCE numbers TO \(owner)")
            try await source.query(
                """
                CREATE TABLE t (id integer DEFAULT nextval('numbers'));
                INSERT INTO t SELECT nextval('numbers') FROM generate_series(1, 10);
                """, as: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let replace = ["--existing", "truncate"]
            try await target.query("UPDATE t SET id = 0; SELECT setval('numbers', 4)")
            try await bench.expectRefused(
                target, saying: "may not set sequence public.numbers",
                "GRANT SELECT ON SEQUENCE \"public\".\"numbers\" TO \"\(owner)\";"
            ) {
                try await bench.restore(tables: ["t"], into: target, replace, as: owner)
            }
            try await target.query("GRANT SELECT ON SEQUENCE numbers TO \(owner)")
            try await bench.restore(tables: ["t"], into: target, replace, as: owner).requireCode(0)
            #expect(
                try await target.query("SELECT sum(id), s.last_value FROM t, numbers s GROUP BY 2")
                    == "55|10")
        }
    }

    @Test(arguments: TestServer.all)
    func `a sequence that was used after an interruption is not put back`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                """
                CREATE SEQUENCE early START 100; SELECT setval('early', 50);
                CREATE SEQUENCE down INCREMENT -1; SELECT setval('down', -10);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.pgRestore(
                afterRows: "echo 'pg_restore: error: meant to fail' >&2; exit 1")
            try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "meant to fail")
            try await target.query(
                "SELECT setval('people_id_seq', 5000), setval('down', -20, false)")
            try await bench.restore(backup.id, into: target).requireCode(0)
            #expect(
                try await target.query(
                    "SELECT p.last_value, d.last_value, e.last_value, e.is_called "
                        + "FROM people_id_seq p, down d, early e") == "5000|-20|50|t")
        }
    }

    @Test(arguments: TestServer.all)
    func `a sequence that cannot be set leaves the others where they were`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE a (id serial); CREATE TABLE z (id serial);
                INSERT INTO a SELECT FROM generate_series(1, 10);
                INSERT INTO z SELECT FROM generate_series(1, 10);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("INSERT INTO a SELECT FROM generate_series(1, 90)")
            let hold = "BEGIN; SELECT FROM a LIMIT 1; SELECT pg_sleep(600)"
            _ = try await target.query(hold) { blocker in
                try await bench.untilSessions(of: target, "wait_event = 'PgSleep'")
                let end = try await bench.restore(
                    tables: ["a", "z"], into: target, ["--existing", "truncate"]
                ) { _ in
                    try await bench.untilSessions(of: target, "wait_event_type = 'Lock'")
                    // Behind the look at the limits.
                    try await target.query("ALTER SEQUENCE z_id_seq MAXVALUE 5 RESTART 1")
                    try blocker.send(SIGINT)
                }
                end.expect(code: 1, saying: "22003", "which are as they were")
            }
            #expect(
                try await target.query(
                    "SELECT count(*), s.last_value FROM a, a_id_seq s GROUP BY 2")
                    == "100|100")
        }
    }
}

extension Workbench {
    /// Waits until so many sessions of a database are so.
    func untilSessions(
        of database: TestDatabase, _ condition: String, _ count: Int = 1
    ) async throws {
        try await eventually("\(count) sessions of \(database.name) have \(condition)") {
            let found = try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = '\(database.name)' AND \(condition)
                """)
            return (Int(found) ?? 0) >= count
        }
    }
}
