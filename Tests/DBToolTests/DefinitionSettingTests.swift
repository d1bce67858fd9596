import BackupTesting
import Foundation
import Testing

/// Constants and names of types in definitions look as settings of the role, the database and the server say.
@Suite struct DefinitionSettingTests {
    @Test(arguments: TestServer.all)
    func `amounts of money in definitions come back, whatever the server's locale`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let locales = try await bench.localesWithCommas()
            try await bench.withOwnServer(
                ["lc_monetary=\(Workbench.localeWithCommas)"], variables: ["LOCPATH": locales]
            ) { postgres in
                try await postgres.query("CREATE DATABASE source")
                let source = bench.existingDatabase("source", on: postgres.server)
                try await source.query(
                    """
                    CREATE DOMAIN price AS money CHECK (value < '9.999,50'::money);
                    CREATE TABLE t (id int PRIMARY KEY, m money DEFAULT '12,30' CHECK (m < '99,50'::money), p price);
                    CREATE TABLE parts (m money) PARTITION BY RANGE (m);
                    CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('0,50') TO ('1.000,75');
                    CREATE INDEX ON t (id) WHERE m > '1,25'::money;
                    CREATE VIEW dear AS SELECT id FROM t WHERE m > '1.234,50'::money;
                    INSERT INTO t VALUES (1); INSERT INTO parts VALUES ('1.000,25');
                    """)
                #expect(try await source.query("SELECT m FROM t") == "$ 12,30")
                let backup = try await bench.backUp(source)
                let copy = bench.existingDatabase("copy", on: postgres.server)
                try await bench.restore(backup.id, into: copy, ["--check", "rows"]).requireCode(0)
                try await bench.expectEqual(source, copy)
                #expect(
                    try await copy.query("INSERT INTO t (id) VALUES (2) RETURNING m") == "$ 12,30")

                let older = try await bench.backUp(source, ["--pg-dump", bench.pgDumpWithCommas()])
                try await bench.restore(
                    older.id, into: bench.existingDatabase("older", on: postgres.server),
                    ["--dry-run"]
                ).expect(code: 0, saying: "another lc_monetary writes them ($ ")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a role for which NULL is a word in an array restores the condition of an index`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, a text[]);
                INSERT INTO t VALUES (1, '{NULL,x}'), (2, '{"NULL",x}');
                CREATE INDEX ON t (id) WHERE a = '{NULL,x}'::text[];
                """)
            let backup = try await bench.backUp(source)
            let role = try await bench.createRole("literal", "SUPERUSER")
            try await bench.administration.query("ALTER ROLE \(role) SET array_nulls = off")
            let target = try await bench.createDatabase("target")
            try await bench.restore(backup.id, into: target, creating: false, as: role)
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `types of a backup by a role that quotes all names are those of the target`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE DOMAIN d AS text; CREATE TYPE c AS (x int, y d);
                CREATE TABLE t (id int PRIMARY KEY, a c, z d); INSERT INTO t VALUES (1, (1, 'y'), 'z');
                """)
            let role = try await bench.createRole("quoting", "SUPERUSER")
            try await bench.administration.query(
                "ALTER ROLE \(role) SET quote_all_identifiers = on")
            let backup = try await bench.backUp(source, as: role)
            let target = try await bench.duplicate(source, "target")
            try await target.query("UPDATE t SET z = 'changed'")
            try await bench.restore(
                backup.id, into: target, ["--existing", "truncate", "--yes"], creating: false
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }
}

extension Workbench {
    fileprivate static let localeWithCommas = "xx_XX"

    /// A pg_dump whose sessions write money with commas, whatever it is told, as that of older dbtools did.
    fileprivate func pgDumpWithCommas() throws -> String {
        let name = uniqueName("commas")
        let program = try write(
            """
            #!/bin/sh
            export PGOPTIONS="$PGOPTIONS -c lc_monetary=\(Self.localeWithCommas)"
            exec '\(server.bin)/pg_dump' "$@"
            """, to: "\(name)/pg_dump", mode: 0o700)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/\(name)/pg_restore",
            withDestinationPath: "\(server.bin)/pg_restore")
        return program
    }

    /// A folder of locales, of which one writes money with commas: a machine need not have any but C.
    fileprivate func localesWithCommas() async throws -> String {
        let name = Self.localeWithCommas
        try write(
            """
            LC_CTYPE
            copy "POSIX"
            END LC_CTYPE
            LC_MONETARY
            int_curr_symbol "XXX "
            currency_symbol "$"
            mon_decimal_point ","
            mon_thousands_sep "."
            mon_grouping 3;3
            positive_sign ""
            negative_sign "-"
            int_frac_digits 2
            frac_digits 2
            p_cs_precedes 1
            p_sep_by_space 1
            n_cs_precedes 1
            n_sep_by_space 1
            p_sign_posn 1
            n_sign_posn 1
            END LC_MONETARY
            """, to: "locales/source")
        // It complains of all that the locale does not say; without the file the server says so.
        _ = try await shell(
            "localedef -c --no-archive -i ./source ./\(name)", in: "\(folder)/locales")
        _ = try await shell("chmod -R a+rX .", in: "\(folder)/locales")
        return "\(folder)/locales"
    }
}
