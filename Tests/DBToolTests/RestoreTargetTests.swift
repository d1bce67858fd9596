import BackupTesting
import Testing

/// The target is checked before it is touched, and nothing of it is lost.
@Suite struct RestoreTargetTests {
    @Test(arguments: TestServer.all)
    func `a database that is not empty is refused and stays as it is`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            _ = try await bench.backUp(try await bench.small())
            let makers = [
                "CREATE TABLE mine (id integer); INSERT INTO mine VALUES (1)",
                "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                "CREATE TYPE mine AS ENUM ('a')", "CREATE SCHEMA mine",
                "SELECT lo_from_bytea(42, 'mine')",
            ]
            for maker in makers {
                let target = try await bench.createDatabase("mine")
                try await target.query(maker)
                let reference = try await bench.createDatabase("reference")
                try await reference.query(maker)
                try await bench.restore(into: target, creating: false)
                    .expect(code: 1, saying: "not empty")
                try await bench.restore(into: target).expect(code: 1, saying: "exists already")
                try await bench.expectEqual(reference, target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `an empty database takes a backup without being created`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("empty")
            try await bench.restore(into: target, creating: false).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a database that does not exist is made only on request`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            _ = try await bench.backUp(try await bench.small())
            let target = bench.expectDatabase()
            try await bench.restore(into: target, creating: false)
                .expect(code: 1, saying: target.name, "Add --create to create it.")
            // The two exclude each other.
            try await bench.restore(into: target, ["--data-only"], creating: false)
                .expect(code: 1, saying: target.name, "leave it out, and add --create")
            #expect(try await bench.exists(target) == false)
        }
    }

    @Test(arguments: TestServer.all)
    func `a role that may not create databases is told so before all files are read`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let guest = try await bench.createRole("guest")
            let backup = try await bench.backUp(try await bench.small())
            let target = bench.expectDatabase()
            let words = ["--no-owner", "--no-privileges"]
            try await bench.restore(backup.id, into: target, words + ["--dry-run"], as: guest)
                .expect(
                    code: 1, saying: "role \(guest) may not create database \(target.name)",
                    "CREATEDB;", "without --create")
            #expect(try await bench.exists(target) == false)
        }
    }

    @Test(arguments: TestServer.all)
    func `an owner who may create databases restores what is theirs`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.small(owner: owner)
            try await source.query(
                """
                CREATE MATERIALIZED VIEW names AS SELECT name FROM people;
                SELECT lo_from_bytea(77, 'seventy-seven');
                COMMENT ON TABLE pets IS 'who barks';
                """, as: owner)
            let backup = try await bench.backUp(source, as: owner)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, as: owner).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a role that is missing is named with its CREATE ROLE before anything is made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let name = "\(bench.uniqueName("gone")) \"quoted\""
            let owner = try await bench.createRole(named: name)
            try await source.query("ALTER TABLE pets OWNER TO \(Workbench.quoted(owner))")
            _ = try await bench.backUp(source)
            try await source.query("REASSIGN OWNED BY \(Workbench.quoted(owner)) TO postgres")
            try await bench.administration.query("DROP ROLE \(Workbench.quoted(owner))")

            let target = bench.expectDatabase()
            let end = try await bench.restore(into: target)
            end.expect(code: 1, saying: "CREATE ROLE \(Workbench.quoted(owner));")
            #expect(try await bench.exists(target) == false)

            try await bench.restore(into: target, ["--definer", "app@%"])
                .expect(code: 2, saying: "PostgreSQL has no definers")
            #expect(try await bench.exists(target) == false)

            try await bench.restore(into: target, ["--no-owner", "--no-privileges"]).requireCode(0)
            try await bench.expectEqual(source, target)

            // The statement that the error gives is the one that helps.
            try await bench.administration.query("CREATE ROLE \(Workbench.quoted(owner))")
            let owned = bench.expectDatabase("owned")
            try await bench.restore(into: owned).requireCode(0)
            #expect(
                try await owned.query("SELECT tableowner FROM pg_tables WHERE tablename = 'pets'")
                    == owner)
        }
    }

    @Test(arguments: TestServer.all)
    func `roles of policies and user mappings are named however much is left out`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let gone = try await bench.createRole("gone")
            let mapped = try await bench.createRole("mapped")
            let owner = try await bench.createRole("owner")
            let source = try await bench.small()
            try await source.query(
                """
                CREATE POLICY few ON people FOR SELECT TO \(gone) USING (id < 10);
                CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER beyond FOREIGN DATA WRAPPER nowhere;
                CREATE USER MAPPING FOR \(mapped) SERVER beyond;
                CREATE SCHEMA \(owner) AUTHORIZATION \(owner); GRANT SELECT ON pets TO \(owner);
                CREATE TABLE \(owner).t (id int); CREATE VIEW v AS SELECT * FROM \(owner).t;
                """)
            let backup = try await bench.backUp(source)
            try await source.query(
                """
                DROP POLICY few ON people; DROP USER MAPPING FOR \(mapped) SERVER beyond;
                DROP SCHEMA \(owner) CASCADE; DROP OWNED BY \(owner);
                DROP ROLE \(gone); DROP ROLE \(mapped); DROP ROLE \(owner);
                """)
            let target = bench.expectDatabase()
            let words = ["--no-owner", "--no-privileges"]
            let creation = [gone, mapped].map { "CREATE ROLE \(Workbench.quoted($0));" }
            let end = try await bench.restore(backup.id, into: target, words)
            end.expect(code: 1, saying: creation[0], creation[1])
            #expect(!end.errors.contains(owner) && !end.errors.contains("--no-owner"), "\(end)")
            #expect(try await bench.exists(target) == false)

            // It says nothing about the backup.
            try await bench.drilling {
                try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                        + words + bench.connection()
                ).expect(code: 1, saying: creation[0])
            }
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            #expect(try JSON(parsing: list.output)["backups"].items.first?["drilled"] == .null)

            try await bench.administration.query(creation.joined())
            try await bench.restore(backup.id, into: target, words).requireCode(0)
            #expect(
                try await target.query("SELECT roles FROM pg_policies")
                    == "{\(gone)}")
        }
    }

    @Test(arguments: TestServer.all)
    func `owners and privileges can be left out, together and each alone`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let reader = try await bench.createRole("reader")
            let source = try await bench.small()
            try await source.query(
                """
                ALTER TABLE pets OWNER TO \(owner);
                GRANT SELECT ON people, pets TO \(reader);
                SELECT lo_from_bytea(9, 'nine');
                ALTER LARGE OBJECT 9 OWNER TO \(owner);
                GRANT SELECT ON LARGE OBJECT 9 TO \(reader);
                """)
            _ = try await bench.backUp(source)
            let plain = try await bench.restored("latest", ["--no-owner", "--no-privileges"])
            let ownerless = try await bench.restored("latest", ["--no-owner"])
            let ungranted = try await bench.restored("latest", ["--no-privileges"])
            let query = """
                SELECT pg_get_userbyid(relowner) || ' ' || coalesce(relacl::text, '-')
                FROM pg_class WHERE relname = 'pets'
                UNION ALL
                SELECT pg_get_userbyid(lomowner) || ' ' || coalesce(lomacl::text, '-')
                FROM pg_largeobject_metadata
                """
            let user = server.superuser
            #expect(try await plain.query(query) == "\(user) -\n\(user) -")
            #expect(try await ungranted.query(query) == "\(owner) -\n\(owner) -")
            let granted = try await ownerless.query(query)
            #expect(granted.contains("\(user) ") && !granted.contains(owner), "\(granted)")
            #expect(granted.split(separator: "\n").count { $0.contains("\(reader)=r") } == 2)
            try await bench.expectEqual(source, bench.restored())
        }
    }

    @Test(arguments: TestServer.all)
    func `a new database has the encoding, locale and settings of the source`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase(
                named: "\(bench.uniqueName("odd")) \"name\" = 'x' %2F\\",
                options: "ENCODING 'LATIN1' LOCALE 'C'")
            try await source.query(
                """
                SET client_encoding = 'UTF8';
                CREATE TABLE words (id integer PRIMARY KEY, word text);
                INSERT INTO words VALUES (1, 'Zoë'), (2, 'Ärger'), (3, 'zebra');
                ALTER DATABASE \(Workbench.quoted(source.name)) SET search_path = 'a b', public;
                ALTER DATABASE \(Workbench.quoted(source.name)) SET work_mem = '7MB';
                ALTER DATABASE \(Workbench.quoted(source.name)) SET my.setting = 'it''s';
                """)
            let backup = try await bench.backUp(source)
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(source, copy)
            let facts = """
                SELECT pg_encoding_to_char(encoding), datcollate, datctype,
                       (SELECT array_agg(s ORDER BY s) FROM pg_db_role_setting r,
                        unnest(setconfig) s WHERE r.setdatabase = d.oid)
                FROM pg_database d WHERE datname = current_database()
                """
            #expect(try await copy.query(facts) == source.query(facts))
        }
    }

    @Test(arguments: TestServer.all)
    func `a database with another locale provider is not taken for one like the source`(
        server: TestServer
    ) async throws {
        guard server.major >= 17 else { return }
        try await Workbench.with(server) { bench in
            let plain = "ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER"
            let builtin = "\(plain) builtin BUILTIN_LOCALE 'C.UTF-8'"
            let source = try await bench.createDatabase(options: builtin)
            try await source.query("CREATE TABLE t (v text); INSERT INTO t VALUES ('é')")
            _ = try await bench.backUp(source)
            for options in ["\(plain) libc", "\(plain) builtin BUILTIN_LOCALE 'C'"] {
                let target = try await bench.createDatabase("target", options: options)
                try await bench.restore(into: target)
                    .expect(code: 1, saying: "with another encoding or locale")
                try await bench.restore(into: target, creating: false).requireCode(0)
            }
            let alike = try await bench.createDatabase("alike", options: builtin)
            try await bench.restore(into: alike).requireCode(0)
            #expect(try await alike.query("SELECT upper(v) FROM t") == "É")
        }
    }

    @Test func `a locale that the server is too old for is not replaced in silence`() async throws {
        let (oldest, newest) = TestServer.oldestAndNewest
        guard oldest.major < 17, newest.major >= 17 else { return }
        try await Workbench.with(newest) { bench in
            let locale = "LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
            let source = try await bench.createDatabase(options: "ENCODING 'UTF8' \(locale)")
            try await source.query("CREATE TABLE t (v text); INSERT INTO t VALUES ('é')")
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase(on: oldest)
            try await bench.restore(into: target).expect(
                code: 1, saying: "PostgreSQL \(oldest.major) has no locale provider builtin",
                "without --create")
            let made = try await bench.createDatabase("made", on: oldest)
            try await bench.restore(into: made, creating: false).requireCode(0)
            #expect(try await made.query("TABLE t") == "é")
        }
    }

    @Test(arguments: TestServer.all)
    func `a setting that a role may not make keeps nothing else from being made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let maker = try await bench.createRole("maker", "CREATEDB")
            let source = try await bench.small()
            try await source.query(
                """
                CREATE POLICY few ON people USING (id < 10);
                ALTER TABLE people ENABLE ROW LEVEL SECURITY;
                CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM pets;
                ALTER DATABASE \(Workbench.quoted(source.name)) SET log_min_duration_statement = 100;
                ALTER DATABASE \(Workbench.quoted(source.name)) SET work_mem = '7MB';
                """)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let end = try await bench.restore(
                into: target, ["--no-owner", "--no-privileges"], as: maker)
            try end.requireCode(3)
            #expect(end.output.contains("SET \"log_min_duration_statement\": "), "\(end)")
            #expect(!end.output.contains("work_mem"), "\(end)")
            let facts = """
                SELECT (SELECT relrowsecurity FROM pg_class WHERE relname = 'people'),
                       (SELECT count(*) FROM pg_policy), (TABLE counted),
                       (SELECT setconfig FROM pg_db_role_setting r JOIN pg_database d
                        ON d.oid = r.setdatabase WHERE d.datname = current_database())
                """
            #expect(try await target.query(facts) == "t|1|500|{work_mem=7MB}")
            try await bench.expectNoMark(target)
        }
    }
}

extension Workbench {
    func exists(_ database: TestDatabase) async throws -> Bool {
        try await administration.query(
            "SELECT count(*) FROM pg_database WHERE datname = '\(database.name)'") == "1"
    }
}
