import BackupTesting
import Foundation
import Testing

/// Databases of random tables come back, and so do their changes.
@Suite struct MySQLRandomDatabaseTests {
    @Test(arguments: MySQLTestServer.all, ChainTortureTests.seeds)
    func `a random database comes back as it was, and every point of its chain`(
        server: MySQLTestServer, seed: UInt64
    ) async throws {
        try await MySQLBench.with(server) { bench in
            print("database of DBTOOL_TEST_SEED=\(seed) on \(server.product)")
            var database = RandomMySQLDatabase(seed: seed, isMariaDB: server.isMariaDB)
            for statement in database.creation().split(separator: ";\n") {
                _ = try await bench.source.attemptScript("\(Self.mode)\(statement);")
            }
            var points: [(String, String)] = []
            for number in 0..<3 {
                if number > 0 {
                    for change in database.changes() {
                        _ = try await bench.source.attemptScript("\(change);")
                    }
                }
                let verb = number == 0 ? ["full", "database"] : ["incremental", "backup"]
                let backup = try await bench.backUp(verb)
                points.append((backup.id, try await bench.contents(of: bench.source)))
            }
            // Otherwise nothing has been made, and nothing is compared.
            #expect(points[0].1.split(separator: "\n").count > 20, "\(points[0].1)")
            for (number, point) in points.enumerated() {
                let copy = try await bench.restored(
                    point.0, ["--check", "rows"], into: "copy\(number)")
                let contents = try await bench.contents(of: copy)
                #expect(contents == point.1, "\(point.0), seed \(seed)")
            }
        }
    }

    private static let mode =
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';\n"
}

extension MySQLTestDatabase {
    /// Runs a script whose statements may fail.
    func attemptScript(_ script: String) async throws {
        do { try await load(script) } catch is ProgramFailure {}
    }
}
