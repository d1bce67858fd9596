import BackupTesting
import Foundation
import Testing

/// A restore waits for others no longer than a minute, says who they are, and goes on.
@Suite struct RestoreLockTests {
    @Test(arguments: TestServer.all)
    func `a foreign key to a table that was there waits a minute, and is made by the next run`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE pets")
            try await bench.whileIdle(after: "UPDATE people SET name = 'x'", in: target) {
                process in
                let end = try await bench.restore(tables: ["pets"], into: target, ["--yes"])
                end.expect(
                    code: 6, saying: "pets_owner_fkey", "table public.people is locked",
                    "process \(process)", "pg_terminate_backend(\(process))", "same restore again")
                #expect(try await target.query("SELECT count(*) FROM pets") == "500")
            }
            try await bench.restore(tables: ["pets"], into: target, ["--yes"]).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `what is dropped first is waited for a minute`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.whileIdle(after: "SELECT FROM pets LIMIT 1", in: target) { process in
                let end = try await bench.restore(
                    tables: ["pets"], into: target, ["--clean", "--yes"])
                end.expect(
                    code: 6, saying: "is as it was", "table public.pets is locked",
                    "process \(process)")
            }
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `what is replaced is waited for a minute`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.whileIdle(after: "SELECT FROM pets LIMIT 1", in: target) { process in
                let end = try await bench.restore(
                    tables: ["pets"], into: target, ["--existing", "truncate"])
                end.expect(
                    code: 6, saying: "which are as they were", "table public.pets is locked",
                    "process \(process)")
            }
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `Ctrl-C ends the wait for a sequence that somebody alters`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let alter = "BEGIN; ALTER SEQUENCE people_id_seq CACHE 2; SELECT pg_sleep(600)"
            _ = try await target.query(alter) { blocker in
                try await bench.untilSessions(of: target, "wait_event = 'PgSleep'")
                let end = try await bench.restore(
                    tables: ["people"], into: target, ["--existing", "truncate"]
                ) { running in
                    try await bench.untilSessions(
                        of: target, "wait_event_type = 'Lock' AND query LIKE '%setval%'")
                    try running.send(SIGINT)
                }
                #expect(end.code == 130, "\(end)")
                try blocker.send(SIGINT)
            }
            try await bench.expectEqual(source, target)
        }
    }
}
