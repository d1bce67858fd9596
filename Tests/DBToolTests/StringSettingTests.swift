import BackupTesting
import Foundation
import Testing

/// `standard_conforming_strings` says whether a backslash in a plain string is one, and anybody may set it: it must
/// change no definition.
@Suite struct StringSettingTests {
    @Test(arguments: TestServer.all)
    func `a database that escapes in plain strings comes back with its backslashes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.paths()
            let facts = try await source.query(Self.facts("paths"))
            try await source.setStrings("off")
            _ = try await bench.backUp(source)
            let copy = try await bench.restored()
            #expect(try await copy.query(Self.facts("paths")) == facts)

            let end = try await bench.restore(
                tables: ["paths"], into: source, ["--as", "beside"])
            try end.requireCode(0)
            let beside = try await source.query(Self.facts("beside"))
            #expect(beside.contains(#"'C:\x'"#) && beside.contains(#"'^\S+@\S+$'"#), "\(beside)")
        }
    }

    @Test(arguments: TestServer.all, [false, true])
    func `a target or a role that escapes in plain strings loses no backslash`(
        server: TestServer, isOfRole: Bool
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.paths()
            let facts = try await source.query(Self.facts("paths"))
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            let role = try await bench.createRole("escaping", "SUPERUSER")
            if isOfRole {
                try await bench.administration.query(
                    "ALTER ROLE \(role) SET standard_conforming_strings = off")
            } else {
                try await target.setStrings("off")
            }
            try await bench.restore(into: target, creating: false, as: role).requireCode(0)
            #expect(try await target.query(Self.facts("paths")) == facts)
            // What is there is dropped and made again, by its own words.
            try await bench.restore(into: target, ["--clean", "--yes"], creating: false, as: role)
                .requireCode(0)
            #expect(try await target.query(Self.facts("paths")) == facts)
        }
    }

    /// Archives of older versions say so in their head.
    @Test(arguments: TestServer.all)
    func `an archive with doubled backslashes comes back with single ones`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.paths()
            let facts = try await source.query(Self.facts("paths"))
            _ = try await bench.backUp(source, ["--pg-dump", try bench.escapingPgDump()])
            let copy = try await bench.restored()
            #expect(try await copy.query(Self.facts("paths")) == facts)
            try await bench.restore(into: copy, ["--clean", "--yes"], creating: false)
                .requireCode(0)
            #expect(try await copy.query(Self.facts("paths")) == facts)
        }
    }

    /// Everything that holds a backslash.
    private static func facts(_ table: String) -> String {
        """
        SET standard_conforming_strings = on;
        SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = '\(table)'::regclass AND contype = 'c';
        SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '\(table)'::regclass;
        SELECT obj_description('\(table)'::regclass, 'pg_class');
        SELECT pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = '\(table)'::regclass AND indpred IS NOT NULL;
        SELECT pg_get_viewdef('hosts'::regclass);
        SELECT prosrc FROM pg_proc WHERE proname = 'slash';
        """
    }
}

extension Workbench {
    fileprivate func paths() async throws -> TestDatabase {
        let database = try await createDatabase("paths")
        try await database.query(
            #"""
            CREATE TABLE paths (id integer PRIMARY KEY, mail text CHECK (mail ~ '^\S+@\S+$'),
                path text DEFAULT 'C:\x');
            COMMENT ON TABLE paths IS 'a \ and two \\';
            CREATE INDEX ON paths (id) WHERE path <> 'D:\';
            CREATE VIEW hosts AS SELECT regexp_replace(mail, '^\S+@', '\&\\') AS host FROM paths;
            CREATE FUNCTION slash() RETURNS text LANGUAGE sql AS 'SELECT ''\n\''';
            INSERT INTO paths VALUES (1, 'a@b');
            """#)
        return database
    }

    /// A pg_dump whose sessions escape in plain strings, whatever it is told.
    fileprivate func escapingPgDump() throws -> String {
        let folder = uniqueName("escaping")
        let program = try write(
            """
            #!/bin/sh
            export PGOPTIONS="$PGOPTIONS -c standard_conforming_strings=off"
            exec '\(server.bin)/pg_dump' "$@"
            """, to: "\(folder)/pg_dump", mode: 0o700)
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.folder)/\(folder)/pg_restore",
            withDestinationPath: "\(server.bin)/pg_restore")
        return program
    }
}

extension TestDatabase {
    fileprivate func setStrings(_ value: String) async throws {
        try await query(
            "ALTER DATABASE \(Workbench.quoted(name)) SET standard_conforming_strings = \(value)")
    }
}
