import BackupTesting
import Foundation
import Testing

/// What lies on the disk can be checked, unpacked and restored without dbtool.
@Suite struct RepositoryOnDiskTests {
    @Test(arguments: TestServer.all)
    func `the lines of RESTORE md restore the shop`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let shop = try await bench.shop()
            let backup = try await bench.backUp(shop)
            try await runGuide(of: backup, of: shop, in: bench)
        }
    }

    @Test(arguments: TestServer.all)
    func `the lines of RESTORE md restore packed files and large objects`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA "a 'b";
                CREATE TABLE "a 'b"."t ""x"" $HOME" (id integer PRIMARY KEY, "v 'w" text);
                INSERT INTO "a 'b"."t ""x"" $HOME" VALUES (1, NULL), (2, ''), (3, '''"$(id)`\\');
                SELECT lo_from_bytea(11, decode(repeat('00ff27', 5000), 'hex'));
                """)
            let backup = try await bench.backUp(source, ["-compress", "zstd"])
            try await runGuide(of: backup, of: source, in: bench)
        }
    }

    @Test(arguments: TestServer.all)
    func `the lines of RESTORE md restore some tables`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            // What the backup does not hold is dropped afterwards: both must be equal then.
            try await source.query(
                """
                CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE SCHEMA sales;
                CREATE TABLE pets (id serial PRIMARY KEY, mood mood DEFAULT 'ok', name text);
                INSERT INTO pets (name) SELECT 'pet ' || i FROM generate_series(1, 300) i;
                CREATE TABLE sales.orders (id integer PRIMARY KEY, pet integer REFERENCES pets);
                INSERT INTO sales.orders SELECT i, i FROM generate_series(1, 200) i;
                CREATE TABLE other (id integer); INSERT INTO other VALUES (1);
                """)
            let scope = ["tables", "-tablename", "pets", "-tablename", "sales.*"]
            let backup = try await bench.backUp(source, scope: scope)
            try await source.query("DROP TABLE other")
            try await runGuide(of: backup, of: source, in: bench)
        }
    }

    @Test(arguments: TestServer.all)
    func `the lines of RESTORE md compute by the settings of the database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            // The last ones change how rows are read.
            for setting in [
                "timezone = 'Europe/Berlin'", "my.x = 'a b'", "datestyle = 'SQL, DMY'",
                "array_nulls = off", "xmloption = document",
            ] {
                try await source.query(
                    "ALTER DATABASE \(Workbench.quoted(source.name)) SET \(setting)")
            }
            try await source.query(
                """
                CREATE TABLE sales (id integer PRIMARY KEY, at timestamptz, d date CHECK (d = at::date),
                    x text CHECK (x = current_setting('my.x')), tags text[], note xml);
                INSERT INTO sales VALUES (1, '2025-06-01 00:30+02', '2025-06-01', 'a b', ARRAY[NULL, 'b'],
                    xmlparse(content 'a <b/>'));
                CREATE MATERIALIZED VIEW texts AS SELECT at::text AS at, d::text AS d FROM sales;
                """)
            let backup = try await bench.backUp(source)
            let copy = try await runGuide(of: backup, of: source, in: bench)
            let texts = "SELECT * FROM texts"
            #expect(try await copy.query(texts) == source.query(texts))
        }
    }

    @Test(arguments: TestServer.all, [[], ["-compress", "zstd"]])
    func `the lines of RESTORE md bring a table to a differential`(
        server: TestServer, words: [String]
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE "a b" (n integer NOT NULL, "k ""q" text, v text NOT NULL, id integer GENERATED ALWAYS AS IDENTITY,
                    PRIMARY KEY ("k ""q", n));
                INSERT INTO "a b" SELECT i, 'k,' || i, 'v' FROM generate_series(1, 900) i
                """)
            let full = try await bench.backUp(source, words)
            try await source.query(
                "UPDATE \"a b\" SET v = 'w' WHERE n % 7 = 0; DELETE FROM \"a b\" WHERE n % 9 = 0; INSERT INTO \"a b\" VALUES (-1, '', '')"
            )
            let point = try await bench.differential(source)
            let guide = try String(contentsOfFile: "\(full.folder)/RESTORE.md", encoding: .utf8)
            let blocks = guide.split(separator: "```sh\n").dropFirst().compactMap {
                $0.split(separator: "\n```").first
            }
            try #require(blocks.count == 2)
            let copy = bench.expectDatabase()
            let lines = blocks.joined(separator: "\n").replacing(/\brestored\b/, with: copy.name)
                .replacing("FOLDER", with: point.folder.split(separator: "/").last ?? "")
            let run = try await bench.shell(
                "export PGHOST='\(server.host)' PGPORT='\(server.port)' PGUSER='\(server.superuser)'\n\(lines)",
                in: full.folder)
            try run.requireCode(0)
            let rows = "SELECT * FROM \"a b\" ORDER BY n"
            #expect(try await copy.query(rows) == source.query(rows))
        }
    }

    @Test(arguments: TestServer.all)
    func `a copy that is only readable is listed, verified, drilled and restored`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source, ["-compress", "zstd"])
            let copy = bench.expectDatabase()
            let dbtool = try DBToolBinary.path()
            let connection = bench.connection().joined(separator: " ")
            // On the tests' own server other drills look for databases that were left behind.
            try await bench.withOwnServer { own in
                let drill = bench.connection(to: own.server).joined(separator: " ")
                try await bench.shell(
                    """
                    cp -r '\(bench.repository)' elsewhere && rm -r '\(bench.repository)'
                    unshare --mount --propagation unchanged $([ $(id -u) = 0 ] || echo --map-root-user) sh -ec '
                      mount --bind elsewhere elsewhere && mount -o remount,bind,ro elsewhere
                      ! touch elsewhere/x 2>/dev/null
                      \(dbtool) list -path elsewhere | grep -q completed
                      \(dbtool) verify latest -path elsewhere
                      \(dbtool) verify latest -path elsewhere --drill \(drill)
                      \(dbtool) restore latest -path elsewhere --into \(copy.name) --create \(connection)'
                    """
                ).requireCode(0)
            }
            try await bench.expectEqual(source, copy)
        }
    }

    /// The guide names its database; the test gives it a name of its own.
    @discardableResult
    private func runGuide(
        of backup: StoredBackup, of source: TestDatabase, in bench: Workbench
    ) async throws -> TestDatabase {
        let guide = try String(contentsOfFile: "\(backup.folder)/RESTORE.md", encoding: .utf8)
        let start = try #require(guide.range(of: "```sh\n"))
        let end = try #require(
            guide.range(of: "\n```", range: start.upperBound..<guide.endIndex))
        let copy = bench.expectDatabase()
        let lines = guide[start.upperBound..<end.lowerBound].replacing(
            /\brestored\b/, with: copy.name)
        let server = source.server
        let script = """
            export PGHOST='\(server.host)' PGPORT='\(server.port)' PGUSER='\(server.superuser)'
            \(lines)
            """
        let run = try await bench.shell(script, in: backup.folder)
        try run.requireCode(0)
        try await bench.expectEqual(source, copy)
        return copy
    }

    @Test(arguments: TestServer.all)
    func `sha256sum proves every file`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE "odd\\name
                of two lines" (id integer PRIMARY KEY); CREATE TABLE plain (id integer);
                SELECT lo_from_bytea(1, 'x');
                """)
            for words in [[], ["-compress", "zstd"]] {
                let backup = try await bench.backUp(source, words)
                try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                    .requireCode(0)
                let check = try await bench.shell(
                    "sha256sum --strict --check SHA256SUMS", in: backup.folder)
                #expect(check.code == 0, "\(check)")
                let files = try await bench.shell("find . -type f | wc -l", in: backup.folder)
                // All but itself and state.json.
                let checked = check.output.split(separator: "\n").count
                #expect(Int(files.output.trimmingSuffix(while: \.isNewline)) == checked + 2)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `the zip archive, unpacked anywhere, is a backup again`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source, ["-compress", "true"])
            let archive = try #require(backup.report["archive"].string)
            #expect(archive == "\(bench.repository)/\(backup.id).zip")
            try await bench.shell(
                """
                set -e
                mkdir -p moved
                unzip -q '\(archive)' -d moved
                diff -r '\(backup.folder)' 'moved/\(backup.id)'
                rm -r '\(bench.repository)'
                mv moved '\(bench.repository)'
                """
            ).requireCode(0)
            let list = try await bench.dbtool(["list", "-path", bench.repository])
            #expect(list.output.contains(backup.id), "\(list)")
            try await bench.dbtool(["verify", "latest", "-path", bench.repository])
                .requireCode(0)
            try await bench.expectEqual(source, bench.restored())
        }
    }

    @Test(arguments: TestServer.all)
    func `folders are for their owner only, and files too, in the zip archive as well`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let words = ["-compress", "true"]
            try await bench.shell("umask 000; exec true").requireCode(0)
            let command =
                ["full", "database", "-path", bench.repository] + words + bench.connection()
                + ["--database", source.name]
            try await bench.shell(
                "umask 000; exec '\(DBToolBinary.path())' \(command.joined(separator: " "))"
            ).requireCode(0)
            try await bench.dbtool(["verify", "latest", "-path", bench.repository])
                .requireCode(0)
            let unpacked = """
                set -e
                umask 000
                mkdir -m 700 unpacked
                unzip -q repository/*.zip -d unpacked
                find repository unpacked state -type d ! -perm 700
                find repository unpacked state -type f ! -perm 600
                """
            let open = try await bench.shell(unpacked)
            #expect(open.code == 0 && open.output == "", "\(open)")
        }
    }

    @Test(arguments: TestServer.all)
    func `rows writes the stored file, packed or not`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA "Other"; CREATE TABLE "Other"."a.b" (id integer, v text);
                INSERT INTO "Other"."a.b" SELECT i, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN ''
                    ELSE E'x\\n"' || i END FROM generate_series(1, 100000) i;
                CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
                CREATE TABLE empty (a integer, "b ""c" text);
                """)
            let plain = try await bench.backUp(source)
            let packed = try await bench.backUp(source, ["-compress", "zstd"])
            let tables = [("\"Other\".\"a.b\"", "a.b"), ("nothing", "nothing"), ("empty", "empty")]
            for (pattern, name) in tables {
                let file = try Data(
                    contentsOf: URL(fileURLWithPath: try plain.dataFile(of: name)))
                for backup in [plain, packed] {
                    let rows = try await bench.dbtool(
                        ["rows", backup.id, pattern, "-path", bench.repository])
                    try rows.requireCode(0)
                    #expect(Data(rows.outputBytes) == file, "\(name)")
                }
            }
            // And the file is what the server's own COPY gives.
            let copy = try await source.query(
                "COPY \"Other\".\"a.b\" TO STDOUT (FORMAT csv, HEADER)")
            let stored = try String(contentsOfFile: try plain.dataFile(of: "a.b"), encoding: .utf8)
            #expect(stored == copy + "\n")
        }
    }

    @Test(arguments: TestServer.all)
    func `points are named by id, prefix, hex digits, latest and time`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let first = try await bench.backUp(source)
            try await source.query("DELETE FROM pets")
            let second = try await bench.backUp(source)
            let time = try #require(first.report["snapshot_at"].string)
            let names = [
                (first.id, 501), (String(first.id.suffix(4)), 501), (time, 501), ("latest", 1),
                ("LATEST", 1), (second.id, 1), ("2999-01-01", 1),
            ]
            // Four digits may be those of both, once in 65536 runs.
            for (name, lines) in names where second.id.suffix(4) != first.id.suffix(4) {
                let rows = try await bench.dbtool(
                    ["rows", name, "pets", "-path", bench.repository])
                #expect(rows.code == 0, "\(rows)")
                #expect(rows.output.split(separator: "\n").count == lines, "\(name)")
            }
            try await bench.dbtool(["rows", "full_", "pets", "-path", bench.repository])
                .expect(code: 2, saying: first.id, second.id)
        }
    }

    @Test(arguments: TestServer.all)
    func `the catalog has the shape that others rely on`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            let text = try String(
                contentsOfFile: "\(bench.repository)/backup_catalog.json", encoding: .utf8)
            let entry = try JSON(parsing: text)["backups"][0]
            #expect(entry["id"].string == backup.id)
            #expect(entry["type"].string == "full")
            #expect(entry["status"].string == "completed")
            #expect(
                try #require(entry["timestamp_start"].string)
                    .wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00/) != nil)
            let statistics = entry["statistics"]
            #expect(statistics["total_tables"].integer == 2)
            #expect(statistics["total_rows_processed"].integer == 1500)
            let size = try await bench.shell("cat data/* | wc -c", in: backup.folder).output
            #expect(
                statistics["total_size_bytes"].integer
                    == Int(size.trimmingSuffix(while: \.isNewline)))
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isCut: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, isCut(last) { text.removeLast() }
        return text
    }
}
