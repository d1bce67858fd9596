import BackupTesting
import Foundation
import Testing

/// Every point of a chain is the database at that point's snapshot, whatever wrote to it.
///
/// `DBTOOL_TEST_CHAINS` asks for more of them, `DBTOOL_TEST_SEED` for those of an earlier run.
@Suite struct ChainTortureTests {
    private static let environment = ProcessInfo.processInfo.environment

    static let seeds: [UInt64] = {
        let rounds = environment["DBTOOL_TEST_CHAINS"].flatMap { Int($0) } ?? 1
        let first = environment["DBTOOL_TEST_SEED"].flatMap { UInt64($0) }
        return (0..<rounds).map { (first ?? UInt64.random(in: 1...999_999_999)) + UInt64($0) }
    }()

    @Test(arguments: TestServer.all, seeds)
    func `every point comes back as it was at its snapshot`(
        server: TestServer, seed: UInt64
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            print("chain of DBTOOL_TEST_SEED=\(seed) on PostgreSQL \(server.major)")
            let source = try await bench.createDatabase("chain")
            try await source.query(ChainWorkload.schema)
            var workload = ChainWorkload(seed: seed)
            var points: [(backup: StoredBackup, copy: TestDatabase)] = []
            do {
                try await bench.writing(to: source) {
                    try await bench.makeChain(of: source, &workload, seed: seed, &points)
                }
            } catch {
                _ = try await source.attempt(workload.end)
                throw error
            }
            _ = try await source.attempt(workload.end)
            for (backup, copy) in points {
                let words = "\(backup.id), seed \(seed)"
                let verified = try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository])
                #expect(verified.code == 0, "\(words): \(verified)")
                let restored = try await bench.restored(backup.id)
                try await bench.expectEqual(copy, restored)
                try await bench.drop(restored)
            }
            print("chain \(seed): \(points.map(\.backup.summary).joined(separator: "; "))")
        }
    }
}

extension Workbench {
    /// Runs writers beside `body`.
    fileprivate func writing(
        to source: TestDatabase, _ body: () async throws -> Void
    ) async throws {
        try write(ChainWorkload.writer, to: "writer.sql")
        _ = try await Program.run(
            "\(server.bin)/pgbench",
            ["-n", "-c", "2", "-R", "60", "-T", "600", "-f", "writer.sql", source.url],
            environment: environment, folder: folder
        ) { running in
            try await body()
            try? running.send(SIGINT)
        }
    }

    fileprivate func makeChain(
        of source: TestDatabase, _ workload: inout ChainWorkload, seed: UInt64,
        _ points: inout [(backup: StoredBackup, copy: TestDatabase)]
    ) async throws {
        var random = SeededGenerator(seed: seed ^ 0xC4A1)
        for number in 0..<7 {
            if number > 0 {
                for statement in workload.statements() {
                    _ = try await source.attempt("SET lock_timeout = '1s'; \(statement)")
                }
            }
            let dump = try copyingPgDump()
            let common = [
                "--pg-dump", dump.program, "--jobs", "\(Int.random(in: 1...3, using: &random))",
            ]
            // No memory at all: every join goes to files.
            let words =
                common + (number > 0 && Bool.random(using: &random) ? ["--memory", "0"] : [])
            let backup: StoredBackup
            switch Int.random(in: 0..<8, using: &random) {
            case _ where number == 0: backup = try await backUp(source, words)
            case 0: backup = try await differential(source, words + ["-basis", "compare"])
            case 1: backup = try await incremental(source, words + ["--measure-every", "1"])
            case 2, 3:
                // An honest column, and no room for errors.
                let column = words + ["-basis", "column:stamped_at", "--overlap", "1"]
                backup = try await incremental(source, column)
            case 4, 5: backup = try await incremental(source, words)
            default: backup = try await differential(source, words)
            }
            points.append((backup, try await dump.database(self)))
        }
    }

    fileprivate func drop(_ database: TestDatabase) async throws {
        try await administration.query("DROP DATABASE \(database.name) WITH (FORCE)")
    }
}

extension StoredBackup {
    /// For the log of a run: which ways were taken.
    fileprivate var summary: String {
        let ways = report["changes"].items.map { change in
            [change["mode"].string, change["basis"].string].compactMap(\.self).joined(
                separator: " ")
        }
        let counts = Dictionary(grouping: ways) { $0 }.mapValues(\.count)
        let words = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return "\(report["type"].string ?? "") (\(words.joined(separator: ", ")))"
    }
}
