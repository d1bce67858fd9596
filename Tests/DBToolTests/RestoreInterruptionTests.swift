import BackupTesting
import Foundation
import Testing

/// A restore that is killed or loses its sessions, whenever that is, goes on when it is run again.
@Suite struct RestoreInterruptionTests {
    @Test(arguments: TestServer.all, RestoreMode.allCases)
    func `a killed restore goes on and ends as if it had not been killed`(
        server: TestServer, mode: RestoreMode
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            try await bench.interrupt(mode) { running, _ in try running.send(SIGKILL) }
        }
    }

    @Test(arguments: TestServer.all, [RestoreMode.create, .truncate])
    func `a restore that loses its sessions fails and goes on`(
        server: TestServer, mode: RestoreMode
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            try await bench.interrupt(mode) { _, target in
                try await bench.administration.query(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = '\(target.name)' AND application_name LIKE 'dbtool%'
                    """)
            }
        }
    }

    /// Its session goes on until the database is there.
    @Test(arguments: TestServer.all)
    func `a restore beside a killed one that makes the database says what to do`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer { own in
                let source = bench.existingDatabase("source", on: own.server)
                let target = bench.existingDatabase("target", on: own.server)
                try await own.query("CREATE DATABASE source TEMPLATE template0 ENCODING 'UTF8'")
                try await source.query("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)")
                _ = try await bench.backUp(source)
                // What is committed then stays unseen until the standby is no longer waited for.
                try await own.query(
                    "ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()"
                )
                let creation = """
                    SELECT pg_sleep(1); SET synchronous_commit = on;
                    CREATE DATABASE target TEMPLATE template0 ENCODING 'UTF8';
                    """
                let orphan = try await own.query(creation) { _ in
                    try await own.untilSession("wait_event = 'SyncRep'")
                    let end = try await bench.restore(into: target) { _ in
                        try await own.untilSession(
                            "query LIKE 'CREATE DATABASE%' AND wait_event_type = 'Lock'")
                        try await own.query(
                            "ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()")
                    }
                    end.expect(
                        code: 1, saying: "database target has just been created",
                        "Run the same restore again")
                }
                #expect(orphan.code == 0, "\(orphan)")
                try await bench.restore(into: target).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }
}

extension TestDatabase {
    fileprivate func untilSession(_ condition: String) async throws {
        try await eventually("a session with \(condition)") {
            try await query("SELECT count(*) FROM pg_stat_activity WHERE \(condition)") != "0"
        }
    }
}

extension RestoreMode {
    private static let some = ["order*", "warehouse.*"]

    /// What of a shop is restored.
    fileprivate var wordsOfShop: [String] {
        switch self {
        case .create, .empty, .clean: words([])
        case .beside, .truncate: words(Self.some)
        case .append, .rows: words(["warehouse.*"])
        case .copy: words(["order_lines"])
        }
    }

    /// What makes a whole shop into what the restore finds.
    fileprivate var preparation: String {
        let mine = "CREATE TABLE mine (id integer); INSERT INTO mine VALUES (1);"
        return switch self {
        case .create, .empty: ""
        case .beside:
            "DROP TABLE order_lines, orders, warehouse.stock, warehouse.movements CASCADE; \(mine)"
        case .copy: mine
        case .truncate:
            "DELETE FROM order_lines WHERE line < 2; UPDATE orders SET status = 'paid'; \(mine)"
        case .append, .rows: "TRUNCATE warehouse.stock, warehouse.movements; \(mine)"
        case .clean: "DROP TABLE order_lines CASCADE; UPDATE customers SET name = 'x'; \(mine)"
        }
    }
}

extension Workbench {
    private static let steps = 3

    /// Interrupts restores at moments that are spread over the whole, and runs each again.
    fileprivate func interrupt(
        _ mode: RestoreMode,
        _ interruption: @escaping @Sendable (RunningProgram, TestDatabase) async throws -> Void
    ) async throws {
        let source = try await shop()
        _ = try await backUp(source)
        let before = try await duplicate(source, "before")
        if !mode.preparation.isEmpty { try await before.query(mode.preparation) }
        let whole = try await startingPoint(mode, before)
        let start = ContinuousClock.now
        try await run(mode, whole).requireCode(0)
        let time = start.duration(to: .now)
        for step in 0..<Self.steps {
            // Other moments each time, and in every third of the whole.
            let share = (Double(step) + .random(in: 0..<1)) / Double(Self.steps)
            let target = try await startingPoint(mode, before)
            let end = try await run(mode, target) { running in
                try await Task.sleep(for: time * share)
                // It may have ended: then this is no interruption.
                try? await interruption(running, target)
            }
            try await untilQuiet(target)
            guard end.code != 0 else { continue }
            try await expectNothingLost(mode, target, before)
            let again = try await run(mode, target)
            // Killed between its last commit and its end it is complete, and all that it made is in the
            // way of doing it twice.
            let wasComplete =
                end.errors.contains("finishing") && again.code == 1
                && mode.isInItsOwnWay(again.errors)
            #expect(
                again.code == 0 || wasComplete, "after \(share) of \(time): \(end)\n\(again)")
            try await expectEqual(whole, target)
            if again.code == 0 { try expectNoTemporaryFiles() }
        }
    }

    /// Not even those of the run that was killed.
    private func expectNoTemporaryFiles() throws {
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(left.filter { $0.hasPrefix("dbtool-") }.isEmpty)
    }

    private func startingPoint(
        _ mode: RestoreMode, _ before: TestDatabase
    ) async throws -> TestDatabase {
        switch mode {
        case .create: expectDatabase()
        case .empty: try await createDatabase("target")
        default: try await duplicate(before, "target")
        }
    }

    private func run(
        _ mode: RestoreMode, _ target: TestDatabase,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await restore("latest", into: target, mode.wordsOfShop, creating: false, while: body)
    }

    /// The server notices a lost client only when it next speaks to it; whoever creates the database
    /// is connected to another one.
    private func untilQuiet(_ target: TestDatabase) async throws {
        try await eventually("dbtool's own sessions end") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE application_name = 'dbtool' AND (datname = '\(target.name)'
                  OR query LIKE 'CREATE DATABASE%\(target.name)%')
                """) == "0"
        }
    }

    /// Tables that were not named are as they were; those that existed are as before or restored.
    private func expectNothingLost(
        _ mode: RestoreMode, _ target: TestDatabase, _ before: TestDatabase
    ) async throws {
        guard ![.create, .empty].contains(mode) else { return }
        let kept = "SELECT count(*) FROM mine"
        #expect(try await target.query(kept) == "1")
        guard mode != .clean else { return }
        let others = "SELECT md5(string_agg(c::text, ';' ORDER BY id)) FROM customers c"
        #expect(try await target.query(others) == before.query(others))
        guard mode == .truncate else { return }
        let changed = """
            SELECT (SELECT count(*) FROM order_lines WHERE line < 2) = 0,
                   (SELECT count(*) FROM orders WHERE status <> 'paid') = 0
            """
        #expect(["t|t", "f|f"].contains(try await target.query(changed)))
    }
}
