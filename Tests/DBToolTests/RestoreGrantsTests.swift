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

            let other = bench.expectDatabase("other")
            try await bench.restore(backup.id, into: other, ["--check", "rows"]).requireCode(0)
            try await bench.expectEqual(source, other)

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

    /// Whoever may act for several of them would be taken for one who was let pass it on.
    @Test(arguments: TestServer.all)
    func `owners themselves grant what is theirs, on tables before their columns`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.grantable(roles)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(
                backup.id, into: target, ["--check", "rows"], as: roles.restorer
            ).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `what the owner of a table grants in a schema that it may not use comes back`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.grantable(roles)
            try await source.query("REVOKE USAGE ON SCHEMA own FROM \(roles.author)")
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, as: roles.restorer).requireCode(0)
            let mayRead = "SELECT has_table_privilege('\(roles.guest)', 'own.its', 'SELECT')"
            #expect(try await target.query(mayRead) == "t")
            try await bench.expectNoMark(target)
        }
    }

    /// PostgreSQL lets grant nothing in a schema who may not use it, and tells so of superusers that become such a role.
    @Test(arguments: TestServer.all)
    func `what somebody granted who may not use the schema any more is left out, and named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.passedOn(roles)
            try await source.query("REVOKE USAGE ON SCHEMA shop FROM \(roles.friend)")
            let backup = try await bench.backUp(source)
            for user in [nil, roles.restorer] {
                let target = bench.expectDatabase("target_\(user == nil)")
                let end = try await bench.restore(
                    backup.id, into: target, ["--check", "rows"], as: user)
                try end.requireCode(3)
                for thing in ["table shop.t", "view shop.seen", "function shop.f()"] {
                    #expect(
                        end.output.contains(
                            "not made: what others than its owner granted on \(thing) "
                                + "(\(roles.friend)): permission denied for schema shop"), "\(end)")
                }
                let grants = """
                    SELECT has_table_privilege('\(roles.friend)', 'shop.t', 'SELECT WITH GRANT OPTION'),
                      has_any_column_privilege('\(roles.friend)', 'shop.t', 'INSERT'),
                      has_table_privilege('\(roles.guest)', 'shop.t', 'SELECT'),
                      has_schema_privilege('\(roles.guest)', 'shop', 'CREATE'), count(*) FROM shop.t
                    """
                #expect(try await target.query(grants) == "t|t|f|t|2")
                try await bench.expectNoMark(target)
            }
        }
    }

    /// An archive has all that a role granted behind the first that was granted to it.
    @Test(arguments: TestServer.all)
    func `who was given a thing by two passes on what both gave`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.passedOn(roles)
            try await source.query(
                """
                SET ROLE \(roles.author); CREATE TABLE shop.two (id int);
                GRANT INSERT ON shop.two TO \(roles.friend) WITH GRANT OPTION;
                GRANT SELECT ON shop.two TO \(roles.guest) WITH GRANT OPTION; SET ROLE \(roles.friend);
                GRANT INSERT ON shop.two TO \(roles.restorer); SET ROLE \(roles.guest);
                GRANT SELECT ON shop.two TO \(roles.friend) WITH GRANT OPTION; SET ROLE \(roles.friend);
                GRANT SELECT ON shop.two TO \(roles.restorer);
                """)
            let backup = try await bench.backUp(source)
            for user in [nil, roles.restorer] {
                let target = bench.expectDatabase("target_\(user == nil)")
                try await bench.restore(backup.id, into: target, as: user).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    /// The server only remarks that.
    @Test(arguments: TestServer.all)
    func `what is granted on things of others is named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.createDatabase(owner: roles.restorer)
            try await source.query(
                """
                SET ROLE \(roles.restorer); CREATE TABLE t (id int); RESET ROLE;
                REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
                GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO \(roles.guest);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let end = try await bench.restore(backup.id, into: target, as: roles.restorer)
            try end.requireCode(0)
            for words in ["no privileges could be revoked", "no privileges were granted"] {
                #expect(
                    end.errors.contains("warning: left out: \(words) for \"pg_sleep\""), "\(end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `grants on large objects by roles that the restoring one may not act for are left out`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let roles = try await bench.roles()
            let source = try await bench.createDatabase(owner: roles.restorer)
            try await source.query(Self.largeObject(roles))
            let (friend, restorer) = (roles.friend, roles.restorer)
            try await source.query("REVOKE \(friend) FROM \(restorer)")
            // It inherits what the friend has, and may not become it.
            if server.major >= 16 {
                try await source.query("GRANT \(friend) TO \(restorer) WITH SET FALSE")
            }
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let end = try await bench.restore(backup.id, into: target, as: restorer)
            let words = [
                "left out: what others than their owners granted on 1 of the large objects",
                "the restoring role may not act for \(friend)",
            ]
            #expect(end.code == 0 && words.allSatisfy { end.errors.contains($0) }, "\(end)")
            let grants = """
                SELECT count(*) FILTER (WHERE grantor <> lomowner), count(*) FILTER (WHERE grantee = 0), count(*)
                FROM pg_largeobject_metadata, aclexplode(lomacl)
                """
            #expect(try await target.query(grants) == "0|0|4")
            try await bench.expectNoMark(target)
        }
    }

    /// Of the author, which a friend may pass on, and a guest may read.
    fileprivate static func largeObject(_ roles: Roles) -> String {
        """
        SET ROLE \(roles.author); SELECT lo_from_bytea(4711, 'ab');
        GRANT SELECT ON LARGE OBJECT 4711 TO \(roles.friend) WITH GRANT OPTION;
        GRANT SELECT ON LARGE OBJECT 4711 TO \(roles.guest); SET ROLE \(roles.friend);
        GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC; RESET ROLE;
        """
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

    /// Things that others may pass on, as the restoring role and a friend may, and their owner gives away itself besides.
    fileprivate func grantable(_ roles: Roles) async throws -> TestDatabase {
        let source = try await createDatabase(owner: roles.restorer)
        try await source.query(
            """
            SET ROLE \(roles.restorer); CREATE SCHEMA own;
            GRANT USAGE, CREATE ON SCHEMA own TO \(roles.author); GRANT USAGE ON SCHEMA own TO \(roles.friend);
            CREATE TABLE own.t (a int PRIMARY KEY, b int); INSERT INTO own.t VALUES (1, 1);
            GRANT SELECT ON own.t TO \(roles.friend) WITH GRANT OPTION;
            SET ROLE \(roles.friend); GRANT SELECT (a) ON own.t TO \(roles.guest);
            SET ROLE \(roles.author);
            CREATE TABLE own.its (a int PRIMARY KEY); CREATE SEQUENCE own.counter;
            CREATE FUNCTION own.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
            GRANT SELECT ON own.its, own.counter TO \(roles.restorer), \(roles.friend) WITH GRANT OPTION;
            GRANT UPDATE (a) ON own.its TO \(roles.friend) WITH GRANT OPTION;
            GRANT EXECUTE ON FUNCTION own.f() TO \(roles.friend) WITH GRANT OPTION;
            GRANT SELECT ON own.its, own.counter TO \(roles.guest); GRANT UPDATE (a) ON own.its TO \(roles.guest);
            GRANT EXECUTE ON FUNCTION own.f() TO \(roles.guest);
            """)
        try await source.query(RestoreGrantsTests.largeObject(roles))
        try await source.query(
            """
            CREATE SCHEMA passed AUTHORIZATION \(roles.author); SET ROLE \(roles.author);
            GRANT USAGE ON SCHEMA passed TO \(roles.friend) WITH GRANT OPTION;
            GRANT USAGE ON SCHEMA passed TO \(roles.restorer); SET ROLE \(roles.friend);
            GRANT USAGE ON SCHEMA passed TO \(roles.guest);
            """)
        // The owner of a database has the schema `public` since version 15.
        guard server.major >= 15 else { return source }
        try await source.query(
            """
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO \(roles.friend) WITH GRANT OPTION;
            SET ROLE \(roles.friend); GRANT USAGE ON SCHEMA public TO \(roles.guest);
            """)
        return source
    }
}
