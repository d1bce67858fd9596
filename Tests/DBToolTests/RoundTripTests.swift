import BackupTesting
import Testing

/// A backup, restored, is the database that it was taken from: asked by psql and pg_dump, not by us.
@Suite struct RoundTripTests {
    @Test(arguments: TestServer.all)
    func `a shop comes back as it was`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            try await bench.roundTrip(bench.shop())
        }
    }

    @Test(arguments: TestServer.all)
    func `a shop packed by zstd comes back as it was`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            try await bench.roundTrip(bench.shop(), ["-compress", "zstd", "--jobs", "4"])
        }
    }

    @Test(arguments: TestServer.all)
    func `one of everything that PostgreSQL can hold comes back as it was`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.roundTrip(bench.torture())
        }
    }

    @Test(arguments: TestServer.all)
    func `one of everything comes back through one connection and zstd`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.roundTrip(bench.torture(), ["-compress", "zstd", "--jobs", "1"])
        }
    }

    /// Newer servers write views and constraints in other words, so the reference is what the
    /// server's own programs make of the same database.
    @Test func `a backup of the oldest server restores into the newest as pg_restore does it`()
        async throws
    {
        let (oldest, newest) = TestServer.oldestAndNewest
        try await Workbench.with(oldest) { bench in
            try newest.require()
            let shop = try await bench.shop()
            let backup = try await bench.backUp(shop)
            let copy = try await bench.restored(backup.id, on: newest)
            let reference = try await bench.createDatabase("reference", on: newest)
            let script = """
                set -e
                '\(oldest.bin)/pg_dump' --format custom --file reference.dump '\(shop.url)'
                '\(newest.bin)/pg_restore' --exit-on-error --dbname '\(reference.url)' reference.dump
                """
            try await bench.shell(script).requireCode(0)
            try await bench.expectEqual(reference, copy)
        }
    }

    @Test(arguments: TestServer.all)
    func `the comparison that these tests rely on sees one changed row`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let copy = try await bench.restored()
            try await copy.query("UPDATE people SET name = '' WHERE id = 7")
            let end = try await bench.run(
                "\(DBToolBinary.package)/Tests/Fixtures/compare-databases",
                [source.url, copy.url, server.bin])
            #expect(end.code == 1, "\(end)")
            #expect(end.output.contains("people"), "\(end)")
        }
    }
}
