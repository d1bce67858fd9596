import BackupTesting
import Foundation
import Testing

/// `check` tells before a backup runs what it would meet, and prints the fix.
@Suite struct CheckTests {
    @Test(arguments: TestServer.all)
    func `a source that can be backed up has no problem, and nothing is stored`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let check = try await bench.check(source)
            check.expect(code: 0)
            #expect(check.subjects("problem") == [], "\(check.end)")
            #expect(check.text("privileges").contains("everything: 2 tables and 1 sequence"))
            #expect(check.text("version") == "PostgreSQL \(check.text("version").dropFirst(11))")
            #expect(check.text("pg_dump").contains("(version \(server.major))"))
            #expect(check.text("size").contains("2 tables, about"))
            #expect(check.text("size").contains("read in about a second"))
            #expect(check.text("session") == "keeps its settings")
            #expect(check.severities("locked now") == ["ok"])
            #expect(check.text("last backup").contains("none of \(source.name) yet"))
            try bench.expectNothingStored()
            #expect(!FileManager.default.fileExists(atPath: bench.repository))

            let backup = try await bench.backUp(source)
            let after = try await bench.check(source)
            #expect(after.text("last backup").contains(backup.id))
            #expect(after.severities("last backup") == ["ok"])
        }
    }

    @Test(arguments: TestServer.all)
    func `running exactly the printed SQL makes check and backup succeed`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader")
            let owner = try await bench.createRole("owner")
            try await source.query(
                """
                CREATE SCHEMA "closed room";
                CREATE TABLE "closed room"."it's; ""mine""s" (id serial, v text);
                CREATE SCHEMA numbers; CREATE SEQUENCE numbers.alone;
                CREATE SCHEMA owned AUTHORIZATION \(owner);
                CREATE TABLE owned.things (id integer); ALTER TABLE owned.things OWNER TO \(owner);
                SELECT lo_from_bytea(4711, '\\x00ff');
                ALTER TABLE people ENABLE ROW LEVEL SECURITY;
                CREATE POLICY few ON people USING (id < 10);
                """)
            let check = try await bench.check(source, as: reader)
            check.expect(code: 1)
            #expect(check.severities("privileges") == ["problem"])
            // What may not be read cannot be said to be hidden by policies, but grants show it.
            let fix = check.fixes()
            for word in [
                "GRANT USAGE ON SCHEMA \"closed room\"", "GRANT USAGE ON SCHEMA \"numbers\"",
                "GRANT SELECT ON TABLE \"public\".\"pets\"", "\"numbers\".\"alone\"",
                "LARGE OBJECT 4711", "ALTER DEFAULT PRIVILEGES FOR ROLE \"\(owner)\" IN SCHEMA",
            ] {
                #expect(fix.contains(word), "\(word) is not in \(fix)")
            }
            try await bench.full(source, as: reader).expect(code: 1, saying: "may not read")
            try await source.query(fix)

            let second = try await bench.check(source, as: reader)
            #expect(second.subjects("problem") == ["row security"], "\(second.end)")
            second.expect(code: 1)
            try await source.query(second.fixes())

            let third = try await bench.check(source, as: reader)
            third.expect(code: 0)
            #expect(third.subjects("warning") == [], "\(third.end)")
            let backup = try await bench.backUp(source, as: reader)
            try await bench.expectEqual(source, bench.restored(backup.id))

            // And what is made later can be read.
            try await source.query("CREATE TABLE later (id serial)")
            try await source.query("CREATE TABLE owned.later (id serial)", as: owner)
            try await bench.check(source, as: reader).expect(code: 0)
            try await bench.full(source, as: reader).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `the short way is as good, and a role that owns everything needs nothing`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let reader = try await bench.createRole("reader", "IN ROLE pg_read_all_data")
            let owner = try await bench.createRole("owner")
            let source = try await bench.small(owner: owner)
            for role in [reader, owner] {
                let check = try await bench.check(source, as: role)
                check.expect(code: 0)
                #expect(check.subjects("warning") == [], "\(check.end)")
                try await bench.full(source, as: role).requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what a backup of some tables needs is all that is asked for`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader")
            try await source.query("GRANT SELECT ON pets TO \(reader)")
            try await bench.check(source, ["--tablename", "pets"], as: reader).expect(code: 0)
            let people = try await bench.check(source, ["--tablename", "people"], as: reader)
            people.expect(code: 1)
            #expect(people.fixes().contains("people_id_seq"))
            #expect(!people.fixes().contains("pets"))
            let unknown = try await bench.dbtool(
                ["check", "--tablename", "peeple", "--database", source.name] + bench.connection())
            unknown.expect(code: 2, saying: "peeple", "people")
        }
    }

    @Test(arguments: TestServer.all)
    func `what a backup holds otherwise than expected is named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            let empty = try await bench.check(source)
            empty.expect(code: 0)
            #expect(empty.text("size").contains("no tables"))
            try await source.query(
                """
                CREATE TABLE keyed (id integer PRIMARY KEY);
                CREATE TABLE keyless (id integer);
                CREATE UNLOGGED TABLE fleeting (id integer PRIMARY KEY);
                CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
                CREATE FOREIGN TABLE elsewhere (line text) SERVER files
                  OPTIONS (filename '/etc/hostname');
                """)
            let check = try await bench.check(source)
            check.expect(code: 0)
            #expect(check.text("keys").hasPrefix("public.keyless has no key"))
            #expect(check.text("unlogged").hasPrefix("public.fleeting is unlogged"))
            #expect(check.text("foreign tables").hasPrefix("public.elsewhere is foreign"))
            try await source.query(
                """
                ALTER TABLE keyless ADD PRIMARY KEY (id); ALTER TABLE fleeting SET LOGGED;
                DROP FOREIGN TABLE elsewhere;
                """)
            let clean = try await bench.check(source)
            for subject in ["keys", "unlogged", "foreign tables"] {
                #expect(clean[subject] == [], "\(clean.end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `the text form groups findings and ends with the fixes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let reader = try await bench.createRole("reader")
            try await source.query(
                "CREATE TABLE \"a\nDROP TABLE pets; --\" (id integer); GRANT SELECT ON people, pets, people_id_seq TO \(reader)"
            )
            let end = try await bench.dbtool(
                ["check", "--database", source.name] + bench.connection(as: reader))
            #expect(end.code == 1, "\(end)")
            for line in ["settings", "connection", "server", "contents", "activity", "repository"] {
                #expect(end.output.split(separator: "\n").contains(Substring(line)), "\(end)")
            }
            #expect(end.output.hasSuffix("a backup would fail: 1 problem\n"), "\(end)")
            // All of it can be given to psql as it is, from the first fix on.
            let start = try #require(end.output.range(of: "-- problem:"))
            let stop = try #require(end.output.range(of: "a backup would fail"))
            try await source.query(String(end.output[start.lowerBound..<stop.lowerBound]))
            #expect(try await source.query("SELECT count(*) FROM pets") == "500")
            try await bench.full(source, as: reader).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `a size that the server packs is read in its own time`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let slow = try await bench.slow()
            // The server counts what a session has read when that has ended, and older ones some time later.
            try await slow.query("ANALYZE; SELECT pg_sleep(2)")
            let before = try await slow.packedBlocks()
            let check = try await bench.check(slow)
            let after = try await slow.packedBlocks()
            // The sample ends after about a second, whatever is left of 3 GB.
            #expect(after.read - before.read < after.all / 2, "\(before), \(after)")
            check.expect(code: 0)
            let text = check.text("size")
            #expect(text.contains(" s") || text.contains(" min"), "\(text)")
            #expect(!text.contains("a second"), "\(text)")
        }
    }
}

extension TestDatabase {
    /// How often blocks of what `large` holds beside its rows have been read, and how many there are.
    fileprivate func packedBlocks() async throws -> (read: Int, all: Int) {
        let numbers = try await query(
            """
            SELECT s.toast_blks_read + s.toast_blks_hit,
                   pg_relation_size(c.reltoastrelid) / current_setting('block_size')::integer
            FROM pg_statio_user_tables s JOIN pg_class c ON c.oid = s.relid
            WHERE c.relname = 'large'
            """
        ).split(separator: "|").compactMap { Int($0) }
        try #require(numbers.count == 2)
        return (numbers[0], numbers[1])
    }
}
