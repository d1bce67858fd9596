import BackupTesting
import Foundation
import Testing

/// What belongs to some role though no script names it, as nothing of it comes back.
@Suite struct RestoreRolesTests {
    /// The role that made the server owns the schemas of temporary tables, the functions of every range type, and what
    /// an extension makes that anybody may create.
    @Test(arguments: TestServer.all)
    func `an owner restores what it has made, whatever came along with it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let app = try await bench.createRole("app", "CREATEDB")
            let source = try await bench.createDatabase(owner: app)
            try await source.query(
                """
                CREATE TABLE t (i int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one');
                CREATE TEMP TABLE x (i int PRIMARY KEY, v text);
                CREATE TYPE span AS RANGE (subtype = float8);
                CREATE TABLE spans (s span, many span[]); INSERT INTO spans VALUES ('[1,2)', '{"[3,4]"}');
                CREATE EXTENSION tablefunc;
                """, as: app)
            let backup = try await bench.backUp(source, as: app)
            try bench.expectRoles([app], of: backup)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: app)
                .requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.drilling {
                try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                        + bench.connection(as: app)
                ).requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup needs nobody who only has temporary things, or may use them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let app = try await bench.createRole("app", "CREATEDB")
            let guest = try await bench.createRole("guest")
            let reader = try await bench.createRole("reader")
            let source = try await bench.small(owner: app)
            let session = """
                SET ROLE \(guest);
                CREATE TEMP TABLE y (i int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
                GRANT SELECT ON y TO \(reader); CREATE POLICY few ON y TO \(reader);
                CREATE STATISTICS pg_temp.both_of_it ON i, v FROM y;
                CREATE TEMP TABLE z (i int) PARTITION BY LIST (i);
                CREATE TEMP TABLE z1 PARTITION OF z DEFAULT;
                CREATE VIEW pg_temp.seen AS SELECT 1 AS i; CREATE SEQUENCE pg_temp.numbers;
                CREATE TYPE pg_temp.mood AS ENUM ('good'); CREATE TYPE pg_temp.pair AS (a int, b int);
                CREATE TYPE pg_temp.span AS RANGE (subtype = int); CREATE DOMAIN pg_temp.small AS int;
                CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
                GRANT EXECUTE ON FUNCTION pg_temp.f() TO \(reader);
                SELECT pg_sleep(600);
                """
            _ = try await source.query(session) { running in
                try await bench.untilSessions(of: source, "wait_event = 'PgSleep'")
                let backup = try await bench.backUp(source, as: app)
                try bench.expectRoles([app], of: backup)
                try running.send(SIGINT)
            }
            let target = bench.expectDatabase()
            try await bench.restore(into: target, as: app).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// What is given to somebody is given by the script, whatever it is.
    @Test(arguments: TestServer.all)
    func `a backup needs everybody whom its script names`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let app = try await bench.createRole("app")
            let maker = try await bench.createRole("maker")
            let readers = try await (
                bench.createRole("table"), bench.createRole("column"), bench.createRole("type"),
                bench.createRole("function"), bench.createRole("identity")
            )
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (i int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
                ALTER TABLE t OWNER TO \(app); GRANT SELECT ON t TO \(readers.0);
                GRANT SELECT (v) ON t TO \(readers.1); GRANT USAGE ON SEQUENCE t_i_seq TO \(readers.4);
                CREATE TYPE span AS RANGE (subtype = float8); ALTER TYPE span OWNER TO \(maker);
                GRANT USAGE ON TYPE span TO \(readers.2);
                CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
                GRANT EXECUTE ON FUNCTION f() TO \(readers.3);
                """)
            let backup = try await bench.backUp(source)
            let named = [readers.0, readers.1, readers.2, readers.3, readers.4]
            let owners = [app, maker, server.superuser]
            try bench.expectRoles(owners, named, of: backup)
            let roles = ([app, maker] + named).joined(separator: ", ")
            try await source.query("DROP OWNED BY \(roles) CASCADE; DROP ROLE \(roles)")
            let target = bench.expectDatabase()
            let end = try await bench.restore(backup.id, into: target)
            for role in [app, maker] + named {
                end.expect(code: 1, saying: "CREATE ROLE \(Workbench.quoted(role));")
            }
            #expect(try await bench.exists(target) == false)
        }
    }
}

extension Workbench {
    /// Expects whom a backup names: owners, and those that may use something.
    fileprivate func expectRoles(
        _ owners: [String], _ others: [String] = [], of backup: StoredBackup,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let metadata = try backup.metadata()
        let named = metadata["owners"].items.compactMap(\.string)
        #expect(Set(named) == Set(owners), sourceLocation: location)
        let all = metadata["roles"].items.compactMap(\.string)
        #expect(Set(all) == Set(owners + others), sourceLocation: location)
    }
}
