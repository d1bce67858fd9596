import BackupTesting
import Foundation
import Testing

/// Databases that nobody thought of come back as they were.
///
/// `DBTOOL_TEST_ROUNDS` asks for more of them, `DBTOOL_TEST_SEED` for those of an earlier run.
@Suite struct RandomDatabaseTests {
    private static let environment = ProcessInfo.processInfo.environment

    static let seeds: [UInt64] = {
        let rounds = environment["DBTOOL_TEST_ROUNDS"].flatMap { Int($0) } ?? 4
        let first = environment["DBTOOL_TEST_SEED"].flatMap { UInt64($0) }
        return (0..<rounds).map { (first ?? UInt64.random(in: 1...999_999_999)) + UInt64($0) }
    }()

    @Test(arguments: TestServer.all, seeds)
    func `comes back as it was, whatever it holds`(
        server: TestServer, seed: UInt64
    ) async throws {
        try await Workbench.with(server) { bench in
            print("random database of DBTOOL_TEST_SEED=\(seed) on PostgreSQL \(server.major)")
            let source = try await bench.createDatabase("random")
            try await source.query(RandomDatabase(seed: seed).sql)
            let words = seed % 2 == 0 ? ["-compress", "zstd", "--jobs", "3"] : []
            try await bench.roundTrip(source, words)
        }
    }

    @Test func `one seed makes one database`() {
        #expect(RandomDatabase(seed: 7).sql == RandomDatabase(seed: 7).sql)
        #expect(RandomDatabase(seed: 7).sql != RandomDatabase(seed: 8).sql)
    }
}
