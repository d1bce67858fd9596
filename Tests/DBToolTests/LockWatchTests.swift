import BackupTesting
import Foundation
import Testing

/// A backup that makes others wait, or waits for them, says so and names them.
@Suite struct LockWatchTests {
    @Test(arguments: TestServer.all)
    func `a statement that waits for the backup is named while the backup runs`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let pause = try bench.pausingPgDump()
            let end = try await bench.full(source, ["--pg-dump", pause.program]) { _ in
                try await pause.untilReached()
                let alter = "ALTER TABLE pets ADD COLUMN age integer"
                _ = try await source.query(alter) { _ in
                    try await bench.untilBlocked(source, count: 1)
                    _ = try await source.query("SELECT count(*) FROM pets") { _ in
                        try await bench.untilBlocked(source, count: 2)
                        try await bench.untilNoted("s for this backup (1 more behind it): \(alter)")
                        try pause.proceed()
                    }
                }
            }
            // It let the statement through, and was taken anew.
            try end.requireCode(0)
            end.expect(code: 0, saying: "has waited", "of role \(server.superuser)")
            let copy = try await bench.restored(try StoredBackup(end).id)
            #expect(try await copy.query("SELECT count(age) FROM pets") == "0")
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup in nobody's way says nothing`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let pause = try bench.pausingPgDump()
            let end = try await bench.full(source, ["--pg-dump", pause.program]) { _ in
                try await pause.untilReached()
                // Longer than the watch takes to look twice, with work that is in no way.
                try await source.query("INSERT INTO pets VALUES ('late', 1); SELECT pg_sleep(3)")
                try pause.proceed()
            }
            try end.requireCode(0)
            #expect(!end.errors.contains("wait"), "\(end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a session that forgot to commit is named with how to end it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            try await bench.whileIdle(after: "LOCK TABLE pets", in: source) { process in
                let end = try await bench.full(source, ["--lock-timeout", "10"])
                end.expect(
                    code: 6, saying: "table public.pets is locked by process \(process)",
                    "idle in transaction since 20", "LOCK TABLE pets",
                    "pg_terminate_backend(\(process))")
                #expect(
                    end.errors.contains(#/waiting for \d+ s: table public\.pets/#), "\(end)")
                try bench.expectNothingStored()
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a statement that waits ahead of the backup is named with whom it waits for`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let read = "SELECT count(*) FROM pets"
            try await bench.whileIdle(after: read, in: source) { process in
                _ = try await source.query("TRUNCATE   pets,\n\tpeople") { truncate in
                    try await bench.untilBlocked(source, count: 1)
                    try await bench.full(source, ["--lock-timeout", "10"]).expect(
                        code: 6, saying: "public.pets is wanted before us by process",
                        ": TRUNCATE pets, people, which waits for process \(process)",
                        "idle in transaction since 20", "pg_terminate_backend(\(process))")
                    try truncate.send(SIGINT)
                }
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup that statements overtake in every attempt names one of them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let program = try bench.overtakenPgDump(
                source, by: "ALTER TABLE pets ALTER COLUMN name SET DEFAULT 'x'")
            let end = try await bench.full(source, ["--pg-dump", program, "--lock-timeout", "30"])
            end.expect(
                code: 6, saying: "could not lock the tables in 5 attempts",
                "table public.pets is wanted before us by process", ": ALTER TABLE pets",
                "when no migration is under way")
            #expect(!end.errors.contains("--lock-timeout"), "\(end)")
            try bench.expectNothingStored()
            try await bench.full(source).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `a prepared transaction that holds a table is named`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            try await bench.withOwnServer(["max_prepared_transactions=5"]) { source in
                try await source.query(
                    """
                    CREATE TABLE pets (name text); CREATE TABLE people (name text);
                    BEGIN; LOCK TABLE people; PREPARE TRANSACTION 'another''s';
                    BEGIN; LOCK TABLE pets; PREPARE TRANSACTION 'it''s forgotten';
                    """)
                try await source.query("COMMIT PREPARED 'another''s'")
                try await bench.full(source, ["--lock-timeout", "10"]).expect(
                    code: 6,
                    saying: "public.pets is locked by prepared transaction 'it''s forgotten'",
                    "of role postgres", "ROLLBACK PREPARED 'it''s forgotten'")
                try await source.query("ROLLBACK PREPARED 'it''s forgotten'")
                try await bench.full(source).requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what a role may not see of others is not made up`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader")
            try await source.query("GRANT SELECT ON pets, people, people_id_seq TO \(reader)")
            try await bench.whileIdle(after: "LOCK TABLE pets", in: source) { process in
                let end = try await bench.full(source, ["--lock-timeout", "10"], as: reader)
                end.expect(code: 6, saying: "locked by process \(process)", "pg_monitor")
                #expect(!end.errors.contains("LOCK TABLE"), "\(end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup that can spare no connection goes on without the watch`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader", "CONNECTION LIMIT 2")
            try await source.query("GRANT SELECT ON pets, people, people_id_seq TO \(reader)")
            for _ in 1...5 {
                try await bench.full(source, ["--jobs", "1"], as: reader).requireCode(0)
                try await bench.untilGone(source)
            }
        }
    }
}

extension Workbench {
    /// Runs `body` while a session sits in a transaction after a statement; gives its process.
    func whileIdle(
        after statement: String, in database: TestDatabase,
        _ body: (_ process: String) async throws -> Void
    ) async throws {
        // The shell keeps psql busy, and the server waiting for its next statement.
        let idle = "BEGIN;\n\(statement);\n\\! exec sleep 600 </dev/null >/dev/null 2>&1"
        _ = try await database.query(idle) { session in
            let found = """
                SELECT pid FROM pg_stat_activity
                WHERE datname = '\(database.name)' AND state = 'idle in transaction'
                """
            try await eventually("a session is idle in a transaction") {
                try await administration.query(found) != ""
            }
            try await body(try await administration.query(found))
            try session.send(SIGKILL)
        }
    }

    /// Waits until sessions of a database wait for locks.
    func untilBlocked(_ database: TestDatabase, count: Int) async throws {
        try await eventually("\(count) sessions of \(database.name) wait for a lock") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = '\(database.name)' AND wait_event_type = 'Lock'
                """) == "\(count)"
        }
    }

    /// Makes a pg_dump that begins when a statement waits for the backup that called it, each time anew.
    fileprivate func overtakenPgDump(
        _ database: TestDatabase, by statement: String
    ) throws -> String {
        let name = uniqueName("overtaken")
        let program = "\(folder)/\(name)/pg_dump"
        try write(
            """
            #!/bin/sh
            case "$*" in
            --version) exec '\(server.bin)/pg_dump' --version ;;
            esac
            # By the name that pg_dump has the backup knows its own session.
            sql() { env -u PGAPPNAME '\(server.bin)/psql' -XAtq -c "$1" '\(database.url)'; }
            sql "\(statement)" >/dev/null 2>&1 &
            until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
              AND wait_event_type = 'Lock' AND query LIKE 'ALTER %'")" = 1 ]; do sleep 0.05; done
            exec '\(server.bin)/pg_dump' "$@"
            """, to: "\(name)/pg_dump", mode: 0o700)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/\(name)/pg_restore",
            withDestinationPath: "\(server.bin)/pg_restore")
        return program
    }

    /// Waits until the log has a note.
    fileprivate func untilNoted(_ words: String) async throws {
        try await eventually("the log says: \(words)") {
            let log = try? String(
                contentsOfFile: "\(folder)/state/dbtool/dbtool.log", encoding: .utf8)
            return log?.contains(words) ?? false
        }
    }
}
