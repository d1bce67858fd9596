import BackupCore
import BackupTesting
import PostgresEngine
import Testing

/// How restored rows are read again.
@Suite struct PostgresReadBackTests {
    /// One query of the whole would be one connection's work, whatever its size.
    @Test(arguments: TestServer.all)
    func `partitions that are loaded through their whole are read back one by one`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE whole (id integer, v text) PARTITION BY HASH (id);
                CREATE TABLE part_0 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 0);
                CREATE TABLE part_1 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 1);
                CREATE TABLE part_2 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 2);
                """)
            var settings = PostgresSettings()
            settings.url = Secret(source.url)
            settings.pgDump = "\(server.bin)/pg_dump"
            let engine = PostgresEngine(settings)
            let request = try await Self.request(engine, into: bench.expectDatabase().name)
            _ = try await engine.withTarget(of: request, approves: { _ in true }) { target in
                #expect(try await target.createStructure() == [])
                for name in ["part_0", "part_1", "part_2"] {
                    let table = TableName(schema: "public", name: name)
                    let load = try #require(target.plan.tables[table]?.load)
                    #expect(load.loadsThrough == TableName(schema: "public", name: "whole"))
                    let statements = try await target.parts(of: load).map(\.selection)
                    #expect(statements.count == 3)
                    #expect(statements.count { $0.contains(name) } == 1, "\(statements)")
                }
            }
        }
    }

    private static func request(
        _ engine: PostgresEngine, into database: String
    ) async throws -> TargetRequest {
        try await engine.withSnapshot(of: SnapshotRequest(scope: .database)) { snapshot in
            let moment = snapshot.moment
            var request = TargetRequest(
                database: database, definition: snapshot.definition,
                sourceVersion: moment.serverVersion, encoding: moment.encoding,
                databaseProperties: moment.databaseProperties)
            request.defaultSchema = moment.defaultSchema
            request.creates = true
            request.storedTables = snapshot.schema.tables.map { table in
                StoredTable(
                    object: table.identity.object,
                    load: TableLoad(
                        table: table.name, loadsThrough: table.loadsThrough,
                        columns: table.storedColumns.map(\.name)))
            }
            return request
        }
    }
}
