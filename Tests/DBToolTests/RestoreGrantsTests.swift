import BackupTesting
import Testing

/// Who was granted something may have passed it on: pg_restore becomes him for that, as only superusers may.
@Suite struct RestoreGrantsTests {
    @Test(arguments: TestServer.all)
    func `a role that is no superuser gives what others than the owners granted`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.passedOn(roles)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(
                backup.id, into: target, ["--check", "rows"], as: roles.restorer
            ).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)

            try await bench.restore(
                tables: [], into: target, ["--clean", "--yes"], as: roles.restorer
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// Where it is expected that something cannot be made, everything is made one by one.
    @Test(arguments: TestServer.all)
    func `what others granted is given one by one, too`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.passedOn(roles)
            let expected = try await bench.duplicate(source, "expected")
            try await source.query(
                "CREATE TABLE unread (id int); REVOKE ALL ON unread FROM \(roles.restorer)",
                as: roles.restorer)
            let end = try await bench.full(source, ["--skip-unreadable"], as: roles.restorer)
            try end.requireCode(3)
            let target = bench.expectDatabase()
            // Exit code 3: the backup lacks a table.
            _ = try await bench.restore(
                try StoredBackup(end).id, into: target, as: roles.restorer)
            try await bench.expectEqual(expected, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `grants of roles that the restoring one may not act for are left out, and named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.passedOn(roles)
            try await source.query(
                "DROP TABLE shop.own; REVOKE \(roles.friend) FROM \(roles.restorer)")
            let backup = try await bench.backUp(source)
            let words = "what others than its owner granted on"
            let reason = "the restoring role may not act for \(roles.friend)"
            for options in [[], ["--no-owner"]] {
                let target = bench.expectDatabase("target\(options.count)")
                let shown = try await bench.restore(
                    backup.id, into: target, options + ["--dry-run"], as: roles.restorer)
                let end = try await bench.restore(
                    backup.id, into: target, options, as: roles.restorer)
                for (thing, end) in [
                    ("table shop.t", shown), ("table shop.t", end), ("schema shop", end),
                ] {
                    #expect(
                        end.code == 0 && end.output.contains("\(words) \(thing): \(reason)"),
                        "\(end)")
                }
                let mayRead = """
                    SELECT has_table_privilege('\(roles.friend)', 'shop.t', 'SELECT WITH GRANT OPTION'),
                      has_table_privilege('\(roles.guest)', 'shop.t', 'SELECT'), count(*) FROM shop.t
                    """
                #expect(try await target.query(mayRead) == "t|f|2")
                try await bench.expectNoMark(target)
            }
        }
    }
}

/// The author of a schema, who lets a friend pass on rights in it, and a guest, who is given them.
private typealias Roles = (restorer: String, author: String, friend: String, guest: String)

extension Workbench {
    /// The restoring one may act for all others.
    fileprivate func roles() async throws -> Roles {
        let restorer = try await createRole("restorer", "CREATEDB")
        let author = try await createRole("author")
        let friend = try await createRole("friend")
        let guest = try await createRole("guest")
        try await administration.query(
            "GRANT \(author), \(friend), \(guest) TO \(restorer)")
        return (restorer, author, friend, guest)
    }

    /// A schema, a table and a function that a friend of their owner has let a guest use.
    fileprivate func passedOn(_ roles: Roles) async throws -> TestDatabase {
        let source = try await createDatabase(owner: roles.restorer)
        try await source.query(
            """
            CREATE SCHEMA shop AUTHORIZATION \(roles.author); SET ROLE \(roles.author);
            CREATE TABLE shop.t (id int PRIMARY KEY, v text); INSERT INTO shop.t VALUES (1, 'a'), (2, 'b');
            CREATE FUNCTION shop.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE VIEW shop.seen AS SELECT id, v FROM shop.t GROUP BY id;
            GRANT USAGE ON SCHEMA shop TO \(roles.guest);
            GRANT USAGE, CREATE ON SCHEMA shop TO \(roles.friend) WITH GRANT OPTION;
            GRANT SELECT, INSERT (v) ON shop.t TO \(roles.friend) WITH GRANT OPTION;
            GRANT SELECT ON shop.seen TO \(roles.friend) WITH GRANT OPTION;
            GRANT EXECUTE ON FUNCTION shop.f() TO \(roles.friend) WITH GRANT OPTION;
            SET ROLE \(roles.friend);
            GRANT CREATE ON SCHEMA shop TO \(roles.guest);
            GRANT SELECT, INSERT (v) ON shop.t TO \(roles.guest);
            GRANT SELECT ON shop.seen TO \(roles.guest) WITH GRANT OPTION;
            GRANT EXECUTE ON FUNCTION shop.f() TO \(roles.guest);
            SET ROLE \(roles.guest);
            GRANT SELECT ON shop.seen TO PUBLIC;
            CREATE TABLE shop.own (id int PRIMARY KEY);
            """)
        return source
    }
}
