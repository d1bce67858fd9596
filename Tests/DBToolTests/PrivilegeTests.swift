import BackupTesting
import Foundation
import Testing

/// What a role may not read is found before anything is written, and named with its GRANT.
@Suite struct PrivilegeTests {
    @Test(arguments: TestServer.all)
    func `a role that may only SELECT backs up everything`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            let backup = try await bench.backUp(source, as: reader)
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(source, copy)
        }
    }

    @Test(arguments: TestServer.all)
    func `every unreadable table is named with its GRANT and nothing is written`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            try await source.query(
                """
                CREATE SCHEMA "closed room";
                CREATE TABLE "closed room"."my secrets" (id integer);
                REVOKE SELECT ON pets FROM \(reader);
                """)
            let end = try await bench.full(source, as: reader)
            end.expect(
                code: 1, saying: "public.pets", "\"closed room\".\"my secrets\"",
                "GRANT USAGE ON SCHEMA \"closed room\" TO",
                "GRANT SELECT ON TABLE \"closed room\".\"my secrets\" TO", reader)
            try bench.expectNothingStored()
            // The statements of the hint are those that help.
            let grants = end.errors.split(separator: "\n").filter { $0.contains("GRANT") }
            try await source.query(grants.joined(separator: "\n"))
            try await bench.full(source, as: reader).requireCode(0)
        }
    }

    /// Else each run would name the next kind of thing.
    @Test(arguments: TestServer.all)
    func `tables, sequences and large objects are named in one error`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader")
            try await source.query(
                "CREATE SCHEMA closed; CREATE TABLE closed.t (id serial); SELECT lo_from_bytea(4711, '\\x00ff')"
            )
            func grants(_ end: ProgramEnd) -> String {
                end.errors.split(separator: "\n").filter { $0.contains("GRANT") }
                    .joined(separator: "\n")
            }
            let end = try await bench.full(source, as: reader)
            end.expect(
                code: 1, saying: "public.people, public.pets, sequence closed.t_id_seq",
                "large object 4711", "or leave the tables out with --skip-unreadable")
            let usage = end.errors.components(separatedBy: "GRANT USAGE ON SCHEMA \"closed\"")
            #expect(usage.count == 2, "\(end)")
            try await source.query(grants(end))
            try await bench.full(source, as: reader).requireCode(0)

            try await source.query(
                "REVOKE SELECT ON SEQUENCE people_id_seq FROM \(reader); REVOKE SELECT ON LARGE OBJECT 4711 FROM \(reader)"
            )
            let rest = try await bench.full(source, as: reader)
            rest.expect(code: 1, saying: "sequence public.people_id_seq, large object 4711")
            #expect(!rest.errors.contains("--skip-unreadable"), "\(rest)")
            try await source.query(grants(rest))
            try await bench.full(source, as: reader).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `unreadable tables can be skipped and the backup says that it is incomplete`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            try await source.query("REVOKE SELECT ON pets FROM \(reader)")
            let end = try await bench.full(source, ["--skip-unreadable"], as: reader)
            try end.requireCode(3)
            let backup = try StoredBackup(end)
            #expect(backup.report["status"].string == "incomplete")
            #expect(backup.report["unreadable_tables"][0]["name"].string == "pets")
            #expect(try backup.metadata()["status"].string == "incomplete")
            let list = try await bench.dbtool(["list", "-path", bench.repository])
            #expect(list.output.contains("incomplete"), "\(list)")

            // What rests on another leaves out what that one did, and has no such option.
            let layer = try await bench.dbtool(
                [
                    "differential", "backup", "-path", bench.repository, "--database", source.name,
                ] + bench.connection(as: reader))
            layer.expect(code: 1, saying: "may not read public.pets", "GRANT SELECT ON TABLE")
            #expect(!layer.errors.contains("--skip-unreadable"), "\(layer)")

            // It counts only when it is named, and holds what was readable.
            try await bench.restore("latest", into: bench.expectDatabase())
                .expect(code: 1, saying: "no completed backup")
            let copy = bench.expectDatabase()
            let restore = try await bench.restore(backup.id, into: copy)
            #expect(restore.code == 3, "\(restore)")
            #expect(restore.output.contains("public.pets: not in the backup"), "\(restore)")
            #expect(try await copy.query("SELECT count(*) FROM people") == "1000")
            #expect(try await copy.query("SELECT to_regclass('pets') IS NULL") == "t")
        }
    }

    /// Owners and grantees of the table, of a column, of its sequences and its policies.
    @Test(arguments: TestServer.all)
    func `a backup without a table needs none of the roles that only this one names`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            var roles: [String] = []
            for role in ["owner", "guest", "clerk", "judge"] {
                roles.append(try await bench.createRole(role))
            }
            let kept = try await bench.createRole("kept")
            try await source.query(
                """
                GRANT SELECT ON people TO \(kept);
                CREATE TABLE secret (id serial, n int GENERATED ALWAYS AS IDENTITY, c int);
                ALTER TABLE secret OWNER TO \(roles[0]);
                GRANT SELECT (c) ON secret TO \(roles[1]);
                GRANT USAGE ON SEQUENCE secret_id_seq TO \(roles[2]);
                CREATE POLICY judged ON secret TO \(roles[3]) USING (true);
                CREATE TABLE whole (a int) PARTITION BY LIST (a);
                CREATE TABLE part PARTITION OF whole DEFAULT;
                ALTER TABLE whole OWNER TO \(roles[0]);
                GRANT SELECT ON part TO \(reader), \(kept);
                CREATE TABLE closed (id serial);
                CREATE TABLE numbered (id int DEFAULT nextval('closed_id_seq'));
                GRANT SELECT ON numbered TO \(reader);
                """)
            let end = try await bench.full(source, ["--skip-unreadable"], as: reader)
            try end.requireCode(3)
            try await source.query(
                roles.map { "DROP OWNED BY \($0) CASCADE; DROP ROLE \($0)" }
                    .joined(separator: ";"))
            let target = bench.expectDatabase()
            let restore = try await bench.restore(try StoredBackup(end).id, into: target)
            #expect(restore.code == 3, "\(restore)")
            #expect(
                try await target.query("SELECT has_table_privilege('\(kept)', 'people', 'SELECT')")
                    == "t")
            // Another table is numbered by a sequence of one that is not there.
            #expect(
                try await target.query(
                    """
                    SELECT to_regclass('part') IS NOT NULL, to_regclass('secret_id_seq') IS NULL,
                           to_regclass('numbered') IS NOT NULL
                    """) == "t|t|t")
        }
    }

    @Test(arguments: TestServer.all)
    func `what others are numbered by goes on where it stood when its table is left out`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                """
                CREATE TABLE hidden (k serial); CREATE SEQUENCE shared OWNED BY hidden.k;
                CREATE SEQUENCE veiled OWNED BY hidden.k;
                CREATE TABLE numbered (i int DEFAULT nextval('shared'), j int DEFAULT nextval('veiled'));
                CREATE FUNCTION following() RETURNS bigint LANGUAGE sql
                    BEGIN ATOMIC SELECT nextval('hidden_k_seq'); END;
                SELECT setval('shared', 50), setval('hidden_k_seq', 60), setval('veiled', 70);
                """)
            let reader = try await bench.reader(of: source)
            try await source.query(
                "REVOKE SELECT ON hidden FROM \(reader); REVOKE SELECT ON SEQUENCE veiled FROM \(reader)"
            )
            let end = try await bench.full(source, ["--skip-unreadable"], as: reader)
            try end.requireCode(3)
            // The role may not read that one: a backup that leaves out what is hidden does not fail for it.
            #expect(end.errors.contains("begin anew in a restore: public.veiled"), "\(end)")
            let target = bench.expectDatabase()
            let restore = try await bench.restore(try StoredBackup(end).id, into: target)
            #expect(restore.code == 3, "\(restore)")
            #expect(
                try await target.query("SELECT nextval('shared'), nextval('veiled'), following()")
                    == "51|1|61")
        }
    }

    @Test(arguments: TestServer.all)
    func `an unreadable sequence is named with its GRANT`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            try await source.query("REVOKE SELECT ON SEQUENCE people_id_seq FROM \(reader)")
            try await bench.full(source, as: reader).expect(
                code: 1, saying: "public.people_id_seq", "GRANT SELECT ON SEQUENCE", reader)
            try bench.expectNothingStored()
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that row-level security hides are an error and not a smaller backup`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            try await source.query(
                """
                ALTER TABLE people ENABLE ROW LEVEL SECURITY;
                CREATE POLICY few ON people USING (id < 10);
                """)
            try await bench.full(source, as: reader).expect(
                code: 1, saying: "row-level security", "public.people", "BYPASSRLS")
            try bench.expectNothingStored()
            try await bench.roundTrip(source)
        }
    }

    /// pg_dump leaves these out, and ends as if nothing were wrong.
    @Test(arguments: TestServer.all)
    func `subscriptions that only a superuser may read are warned of`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            try await source.query(
                """
                CREATE SUBSCRIPTION \(source.name) CONNECTION 'host=nowhere' PUBLICATION all_of_it
                WITH (connect = false, slot_name = NONE)
                """)
            let end = try await bench.full(source, as: reader)
            // No database with a subscription can be dropped.
            try await source.query("DROP SUBSCRIPTION \(source.name)")
            try end.requireCode(0)
            #expect(end.errors.contains("warning: pg_dump: subscriptions not dumped"), "\(end)")
            let warnings = try StoredBackup(end).metadata()["warnings"].items.compactMap(\.string)
            #expect(warnings.contains { $0.contains("subscriptions not dumped") }, "\(warnings)")
        }
    }

    @Test(arguments: TestServer.all)
    func `large objects that a role may not read are named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.reader(of: source)
            try await source.query("SELECT lo_from_bytea(4711, '\\x00ff')")
            try await bench.full(source, as: reader).expect(
                code: 1, saying: "4711", "GRANT SELECT ON LARGE OBJECT 4711 TO")
            try bench.expectNothingStored()
            try await source.query("GRANT SELECT ON LARGE OBJECT 4711 TO \(reader)")
            let backup = try await bench.backUp(source, as: reader)
            try await bench.expectEqual(source, bench.restored(backup.id))
        }
    }
}

extension Workbench {
    /// A role that may read every table and sequence, and no more.
    fileprivate func reader(of source: TestDatabase) async throws -> String {
        let reader = try await createRole("reader")
        try await source.query(
            """
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(reader);
            GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO \(reader);
            """)
        return reader
    }
}
