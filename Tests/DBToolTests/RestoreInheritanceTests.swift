import BackupTesting
import Testing

/// Roles that may become the owners of what they restore, and do not have their rights by themselves.
@Suite struct RestoreInheritanceTests {
    @Test(arguments: TestServer.all)
    func `who does not inherit the rights of owners is told so before anything is made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let (maker, owner) = try await bench.makerAndOwner()
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA s AUTHORIZATION \(owner);
                CREATE TABLE s.t (id int PRIMARY KEY, v text); INSERT INTO s.t VALUES (1, 'one');
                ALTER TABLE s.t OWNER TO \(owner);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let help =
                server.major >= 16
                ? "GRANT \(Workbench.quoted(owner)) TO \(Workbench.quoted(maker)) WITH INHERIT TRUE;"
                : "ALTER ROLE \(Workbench.quoted(maker)) INHERIT;"
            for words in [["--dry-run"], []] {
                try await bench.restore(backup.id, into: target, words, as: maker)
                    .expect(
                        code: 1,
                        saying: "role \(maker) has no rights on what it gives to roles: \(owner)",
                        help)
            }
            #expect(try await bench.exists(target) == false)
            try await bench.administration.query(help)
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: maker)
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// Nothing but their rows tells whose large objects are.
    @Test(arguments: TestServer.all)
    func `who does not inherit the rights of who owns large objects, too, learns what helps`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let (maker, owner) = try await bench.makerAndOwner()
            let source = try await bench.createDatabase(owner: maker)
            try await source.query(
                """
                CREATE SCHEMA s AUTHORIZATION \(maker); GRANT USAGE, CREATE ON SCHEMA s TO \(owner);
                CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
                ALTER FUNCTION s.f() OWNER TO \(owner);
                SELECT lo_from_bytea(1, 'one'); ALTER LARGE OBJECT 1 OWNER TO \(owner);
                GRANT SELECT ON LARGE OBJECT 1 TO \(maker);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let help =
                server.major >= 16
                ? "GRANT \(Workbench.quoted(owner)) TO \(Workbench.quoted(maker)) WITH INHERIT TRUE;"
                : "ALTER ROLE \(Workbench.quoted(maker)) INHERIT;"
            try await bench.restore(backup.id, into: target, as: maker)
                .expect(code: 1, saying: "permission denied for large object", help)
            try await bench.administration.query(help)
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: maker)
                .requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `functions, types and views can be given away without the rights of their owner`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let (maker, owner) = try await bench.makerAndOwner()
            let source = try await bench.createDatabase(owner: maker)
            try await source.query(
                """
                CREATE SCHEMA s AUTHORIZATION \(maker); GRANT USAGE, CREATE ON SCHEMA s TO \(owner);
                CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
                CREATE VIEW s.v AS SELECT 1 AS one; CREATE TYPE s.mood AS ENUM ('good');
                CREATE TABLE s.t (id int PRIMARY KEY, mood s.mood); INSERT INTO s.t VALUES (1, 'good');
                ALTER FUNCTION s.f() OWNER TO \(owner); ALTER VIEW s.v OWNER TO \(owner);
                ALTER TYPE s.mood OWNER TO \(owner); ALTER TABLE s.t OWNER TO \(maker);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: maker)
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }
}

extension Workbench {
    /// A role that makes databases, and another one that it may become without having its rights.
    fileprivate func makerAndOwner() async throws -> (maker: String, owner: String) {
        let maker = try await createRole("maker", "CREATEDB NOINHERIT")
        let owner = try await createRole("owner")
        let options = server.major >= 16 ? "WITH INHERIT FALSE, SET TRUE" : ""
        try await administration.query("GRANT \(owner) TO \(maker) \(options)")
        return (maker, owner)
    }
}
