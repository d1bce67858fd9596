import BackupTesting
import Testing

/// What a server refuses of its own dump is named.
@Suite struct RestoreRefusalTests {
    /// The server says of no character of the script that it is about it.
    @Test(arguments: TestServer.all)
    func `a statement that is refused before the rows is named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id int);
                CREATE FOREIGN DATA WRAPPER first;
                CREATE FOREIGN DATA WRAPPER odd OPTIONS (a '1');
                ALTER FOREIGN DATA WRAPPER odd VALIDATOR postgresql_fdw_validator;
                CREATE FOREIGN DATA WRAPPER other;
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target).expect(
                code: 1,
                saying: "cannot create the structure: FOREIGN DATA WRAPPER odd: invalid option")
            #expect(try await target.query("SELECT count(*) FROM pg_foreign_data_wrapper") == "0")
        }
    }
}
