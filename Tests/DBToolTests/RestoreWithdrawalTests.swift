import BackupTesting
import Testing

/// Owners who have taken rights from themselves that a restore needs.
@Suite struct RestoreWithdrawalTests {
    @Test(arguments: TestServer.all)
    func `an owner who may not run the functions of its own tables restores them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.withdrawn(by: owner)
            let backup = try await bench.backUp(source, as: owner)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: owner)
                .requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)

            try await bench.restore(tables: [], into: target, ["--clean", "--yes"], as: owner)
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// Functions of an index run as the owner of its table, whoever makes it.
    @Test(arguments: TestServer.all)
    func `a superuser restores an index whose function the table's owner may not run`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.withdrawn(by: owner)
            let backup = try await bench.backUp(source)
            let target = try await bench.restored(backup.id)
            try await bench.expectEqual(source, target)
        }
    }
}

extension Workbench {
    /// A table with a check, an index and a type that its owner may not use any more.
    fileprivate func withdrawn(by owner: String) async throws -> TestDatabase {
        let reader = try await createRole("reader")
        let source = try await createDatabase(owner: owner)
        try await source.query(
            """
            CREATE SCHEMA a;
            CREATE FUNCTION a.is_small(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE
                AS 'BEGIN RETURN $1 < 100; END';
            CREATE FUNCTION a.half(int) RETURNS int LANGUAGE plpgsql IMMUTABLE
                AS 'BEGIN RETURN $1 / 2; END';
            CREATE TYPE a.mood AS ENUM ('good', 'bad');
            CREATE TABLE a.t (id int PRIMARY KEY, x int CHECK (a.is_small(x)), mood a.mood);
            CREATE INDEX halves ON a.t (a.half(x));
            INSERT INTO a.t VALUES (1, 10, 'good'), (2, 20, NULL);
            REVOKE ALL ON FUNCTION a.is_small(int), a.half(int) FROM PUBLIC, \(owner);
            GRANT EXECUTE ON FUNCTION a.half(int) TO \(reader);
            REVOKE ALL ON TYPE a.mood FROM PUBLIC, \(owner);
            """, as: owner)
        return source
    }
}
