import BackupTesting
import Foundation
import Testing

/// `check` finds what the server, its settings and other sessions do to a backup.
@Suite struct CheckServerTests {
    @Test(arguments: TestServer.all)
    func `a table that is locked now is named, and check does not wait for it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await bench.whileIdle(after: "LOCK TABLE pets", in: source) { process in
                let start = ContinuousClock.now
                let check = try await bench.check(source)
                // A statement that waits is ended by the server after half a minute.
                #expect(ContinuousClock.now - start < .seconds(30))
                // It may be free again in a moment.
                check.expect(code: 0)
                #expect(check.severities("locked now") == ["warning"])
                let text = check.text("locked now")
                #expect(text.contains("public.pets"), "\(text)")
                #expect(text.contains("process \(process)"), "\(text)")
                #expect(text.contains("LOCK TABLE pets"), "\(text)")
                #expect(check.fixes().contains("pg_terminate_backend(\(process))"))
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a transaction that is open for long is named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await bench.whileIdle(after: "SELECT count(*) FROM pets", in: source) { process in
                let early = try await bench.check(source)["long transaction"]
                let isLong = """
                    SELECT clock_timestamp() - xact_start > '10 s'
                    FROM pg_stat_activity WHERE pid = \(process)
                    """
                // A machine that takes so long for a check has made it a long one.
                if try await source.query(isLong) == "f" { #expect(early == []) }
                try await eventually("it is open for long") {
                    try await source.query(isLong) == "t"
                }
                let check = try await bench.check(source)
                check.expect(code: 0)
                #expect(check.severities("long transaction") == ["note"])
                #expect(check.text("long transaction").contains("process \(process)"))
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a pg_dump that does not run is a problem`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let check = try await bench.check(source, ["--pg-dump", "/nowhere/pg_dump"])
            check.expect(code: 1)
            #expect(check.subjects("problem") == ["pg_dump"])
            #expect(check.text("pg_dump").contains("/nowhere/pg_dump"))
            #expect(check.fixes().contains("postgresql-client-\(server.major)"))
            let alone = try bench.write(
                "#!/bin/sh\nexec '\(server.bin)/pg_dump' \"$@\"\n", to: "alone/pg_dump",
                mode: 0o700)
            let second = try await bench.check(source, ["--pg-dump", alone])
            second.expect(code: 1)
            #expect(second.text("pg_dump").contains("no pg_restore"))
        }
    }

    @Test(arguments: TestServer.all)
    func `connections that a role may not have are counted`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole(
                "reader", "CONNECTION LIMIT 3 IN ROLE pg_read_all_data")
            let few = try await bench.check(source, ["--jobs", "4"], as: reader)
            few.expect(code: 1)
            #expect(few.text("connections").contains("CONNECTION LIMIT 3"))
            #expect(few.fixes().contains("--jobs 2"), "\(few.end)")
            try await bench.untilGone(source)
            try await bench.full(source, ["--jobs", "4"], as: reader).expect(
                code: 5, saying: "too many connections")
            try await bench.untilGone(source)
            let enough = try await bench.check(source, ["--jobs", "2"], as: reader)
            enough.expect(code: 0)
            #expect(enough.severities("connections") == ["note"])
            try await bench.untilGone(source)
            try await bench.full(source, ["--jobs", "2"], as: reader).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `a timeout of a millisecond is warned of, one of a minute is not`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader", "IN ROLE pg_read_all_data")
            try await source.query("ALTER DATABASE \(source.name) SET statement_timeout = '1min'")
            #expect(try await bench.check(source, as: reader)["timeouts"] == [])
            try await source.query("ALTER DATABASE \(source.name) SET statement_timeout = '20ms'")
            let check = try await bench.check(source, as: reader)
            check.expect(code: 0)
            #expect(check.text("timeouts").contains("statement_timeout is 20 ms"))
            try await bench.full(source, as: reader).requireCode(0)
            try await source.query(check.fixes())
            #expect(try await bench.check(source, as: reader)["timeouts"] == [])
        }
    }

    @Test(arguments: TestServer.all)
    func `a limit of a millisecond for transactions keeps no backup from being made`(
        server: TestServer
    ) async throws {
        guard server.major >= 17 else { return }
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                "ALTER DATABASE \(Workbench.quoted(source.name)) SET transaction_timeout = '1ms'")
            // On a busy machine a session may end before it has switched that off.
            try await eventually("a backup is made") {
                let end = try await bench.full(source)
                #expect(!end.errors.contains("PostgresError("), "\(end)")
                return end.code == 0
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what holds back vacuum beside sessions is named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer(
                ["wal_level=logical", "max_prepared_transactions=5"]
            ) { source in
                try await source.query("CREATE TABLE t (id integer PRIMARY KEY)")
                let clean = try await bench.check(source)
                clean.expect(code: 0)
                #expect(clean["replication slot"] == [])
                #expect(clean["prepared"] == [])
                try await source.query(
                    """
                    SELECT pg_create_logical_replication_slot('it_is_forgotten', 'pgoutput');
                    BEGIN; LOCK TABLE t; PREPARE TRANSACTION 'forgotten, too'; SELECT pg_sleep(10.5)
                    """)
                let check = try await bench.check(source)
                check.expect(code: 0)
                #expect(check.text("replication slot").contains("it_is_forgotten"))
                #expect(check.text("prepared").contains("'forgotten, too'"))
                #expect(check.text("locked now").contains("prepared transaction 'forgotten, too'"))
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `too few places for locks are a problem, and a backup fails then`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer(
                ["max_locks_per_transaction=10", "max_connections=10"]
            ) { source in
                try await source.query("CREATE TABLE t0 (id integer PRIMARY KEY)")
                #expect(try await bench.check(source)["locks"] == [])
                // One at a time: a transaction that made all of them would need the places itself.
                try await source.query(
                    "SELECT format('CREATE TABLE t%s (id integer)', i) FROM generate_series(1, 2500) i \\gexec"
                )
                let check = try await bench.check(source)
                check.expect(code: 1)
                #expect(check.severities("locks") == ["problem"])
                #expect(check.fixes().contains("max_locks_per_transaction"))
                try await bench.full(source).expect(code: 1, saying: "53200")
            }
        }
    }

    /// Queries lock every index of what they read.
    @Test(arguments: TestServer.all)
    func `a differential takes no places for locks on indexes`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer(
                ["max_locks_per_transaction=20", "max_connections=10", "autovacuum=off"]
            ) { source in
                let columns = (1...12).map { "c\($0) integer UNIQUE" }.joined(separator: ", ")
                try await source.query(
                    """
                    SELECT format(
                      'CREATE TABLE t%s (id integer PRIMARY KEY, \(columns)); INSERT INTO t%s VALUES (1)',
                      i, i) FROM generate_series(1, 250) i \\gexec
                    """)
                _ = try await bench.backUp(source)
                try await source.query("INSERT INTO t7 VALUES (2)")
                let report = try await bench.differential(source)
                #expect(report.change("t7")?.rows == 1)
                #expect(report.change("t8")?.mode == "unchanged")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a standby says what does not work there`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let primary = try await bench.check(try await bench.small())
            #expect(primary["standby"] == [])
            try await bench.withOwnServer(["hot_standby_feedback=off"]) { source in
                try await source.query(
                    "CREATE TABLE t (id serial PRIMARY KEY); CREATE UNLOGGED TABLE u (id serial)")
                try await bench.becomeStandby()
                // Where nobody can write, a check works: it writes nothing.
                let check = try await bench.check(source)
                check.expect(code: 0)
                #expect(check.severities("standby") == ["warning"])
                #expect(check.fixes().contains("hot_standby_feedback = on"))
                #expect(check.text("unlogged").contains("a standby has no rows of it"))
                let full = try await bench.full(source)
                try full.requireCode(0)
                // Older versions log every sequence.
                let isUnlogged = server.major >= 15
                #expect(check.text("unlogged sequences").contains("public.u_id_seq") == isUnlogged)
                #expect(full.errors.contains("public.u_id_seq") == isUnlogged, "\(full)")
                let sequences = try StoredBackup(full).metadata()["sequences"].items
                    .compactMap { $0["name"].string }
                #expect(sequences == ["t_id_seq"] + (isUnlogged ? [] : ["u_id_seq"]))
            }
        }
    }
}

extension Workbench {
    /// Restarts the test's own server in recovery: as much of a standby as one machine shows.
    fileprivate func becomeStandby() async throws {
        let data = "\(folder)/server/\(server.major)/data"
        let stop = "'\(server.bin)/pg_ctl' -D '\(data)' -s -w"
        let start = "'\(server.bin)/pg_ctl' -D '\(data)' -s -w -l '\(folder)/server/run/log'"
        let script = """
            as_server() { if [ "$(id -u)" = 0 ]; then
              setpriv --reuid postgres --regid postgres --init-groups "$@"; else "$@"; fi; }
            cd /
            as_server sh -c "\(stop) stop" && as_server touch '\(data)/standby.signal' &&
            as_server sh -c "\(start) start"
            """
        let end = try await shell(script)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
    }
}
