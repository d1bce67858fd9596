import BackupTesting
import Foundation
import Testing

/// What cannot be done ends in its exit code, in words that help, and without a trace.
@Suite struct RefusalTests {
    // MARK: The command

    @Test(arguments: TestServer.all)
    func `an unknown table is refused with the nearest names`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await bench.full(source, scope: ["tables", "-tablename", "poeple"])
                .expect(code: 2, saying: "poeple", "people")
            try await bench.full(source, ["--exclude-tablename", "pest"])
                .expect(code: 2, saying: "pest", "pets")
            try bench.expectNothingStored()
            _ = try await bench.backUp(source)
            try await bench.dbtool(["rows", "latest", "poeple", "-path", bench.repository])
                .expect(code: 2, saying: "poeple", "people")
        }
    }

    @Test(arguments: TestServer.all)
    func `an unknown option or command is refused with the nearest one`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.dbtool(["full", "database", "--databse", "x"])
                .expect(code: 2, saying: "--databse", "--database")
            try await bench.dbtool(["fulll", "database"]).expect(code: 2, saying: "fulll", "full")
            try await bench.dbtool(["full", "databas"]).expect(code: 2, saying: "database")
            try await bench.dbtool([]).expect(code: 2)
            try await bench.dbtool(["restore", "latest"]).expect(code: 2, saying: "--into")
            try await bench.dbtool(["full", "database", "-compress", "gzip"])
                .expect(code: 2, saying: "gzip", "zstd")
        }
    }

    /// An error that shows the help and ends well is a backup that nobody misses until it is needed.
    @Test(arguments: TestServer.all)
    func `help is shown only to who asks for it`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            for words in [["-h"], ["--help"], ["help"], ["full", "-h"], ["restore", "x", "-h"]] {
                let end = try await bench.dbtool(words)
                #expect(end.code == 0 && end.output.contains("USAGE: dbtool"), "\(end)")
            }
            let path = ["-path", bench.repository]
            for words in [["full", "tables"], ["restore", "latest"], ["rows", "latest"]] {
                let end = try await bench.dbtool(words + path)
                #expect(end.code == 2 && end.output == "", "\(end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup that does not exist is refused with what there is`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await bench.dbtool(["verify", "latest", "-path", bench.repository])
                .expect(code: 1, saying: "there is no folder", bench.repository)
            let backup = try await bench.backUp(source)
            let wrong = String(backup.id.dropLast()) + (backup.id.last == "0" ? "1" : "0")
            for verb in [["verify"], ["rows"], ["restore", "--into", "nowhere"]] {
                let words =
                    [verb[0], wrong] + (verb[0] == "rows" ? ["people"] : []) + verb.dropFirst()
                try await bench.dbtool(words + ["-path", bench.repository] + bench.connection())
                    .expect(code: 1, saying: wrong, backup.id)
            }
            try await bench.dbtool(["verify", "2001-01-01T00:00:00Z", "-path", bench.repository])
                .expect(code: 1)
        }
    }

    // MARK: The server

    @Test(arguments: TestServer.all)
    func `an unknown database and a server that is gone are no connection`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let nowhere = bench.expectDatabase("nowhere")
            try await bench.full(nowhere).expect(code: 5, saying: nowhere.name)
            let words = [
                "full", "database", "-path", bench.repository, "--host", "127.0.0.1", "--port", "1",
                "--user", "nobody", "--database", "x",
            ]
            try await bench.dbtool(words).expect(code: 5, saying: "cannot connect")
            try await bench.dbtool(
                ["full", "database", "-path", bench.repository, "--host", bench.folder])
                .expect(code: 5)
            try bench.expectNothingStored()
        }
    }

    @Test func `a pg_dump older than the server is refused before anything is written`()
        async throws
    {
        let (oldest, newest) = TestServer.oldestAndNewest
        try await Workbench.with(newest) { bench in
            try #require(oldest.major < newest.major, "two servers are needed")
            let source = try await bench.small()
            try await bench.full(source, ["--pg-dump", "\(oldest.bin)/pg_dump"]).expect(
                code: 1, saying: "older than the server", "version \(oldest.major)",
                "\(newest.major)")
            try await bench.full(source, ["--pg-dump", "/bin/true"])
                .expect(code: 1, saying: "/bin/true")
            try await bench.full(source, ["--pg-dump", "/does/not/exist"])
                .expect(code: 1, saying: "/does/not/exist")
            try bench.expectNothingStored()
        }
    }

    @Test(arguments: TestServer.all)
    func `a table that stays locked is named with the process that holds it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query("CREATE TABLE locked (id integer)")
            let end = try await source.query(
                "BEGIN; LOCK TABLE locked; SELECT pg_sleep(600)"
            ) { blocker in
                try await eventually("the table is locked") {
                    try await bench.administration.query(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = '\(source.name)' AND query LIKE '%pg_sleep%'
                        AND wait_event = 'PgSleep'
                        """) != "0"
                }
                try await bench.full(source, ["--lock-timeout", "1"])
                    .expect(code: 6, saying: "public.locked", "SELECT pg_sleep(600)")
                try bench.expectNothingStored()
                try blocker.send(SIGINT)
            }
            #expect(end.code != 0)
        }
    }

    // MARK: The folder

    @Test(arguments: TestServer.all)
    func `a byte that stands for no character is refused with what finds it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase(
                options: "ENCODING 'WIN1252' LOCALE 'C'")
            try await source.query(
                """
                CREATE TABLE words (id integer PRIMARY KEY, word text);
                INSERT INTO words VALUES (1, chr(228)), (2, 'a' || chr(129)), (3, 'b');
                """)
            let beginning = "position(decode('81', 'hex') IN convert_to("
            try await bench.full(source).expect(
                code: 1, saying: "cannot read public.words", "22P05", beginning)
            try bench.expectNothingStored()
            let condition = "\(beginning)word::text, getdatabaseencoding())) > 0"
            #expect(try await source.query("SELECT id FROM words WHERE \(condition)") == "2")
        }
    }

    @Test(arguments: TestServer.all)
    func `a folder that cannot be made is named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let file = try bench.write("a file", to: "file")
            try await bench.full(source, into: "\(file)/repository")
                .expect(code: 1, saying: "\(file)/repository")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "a file")
        }
    }

    @Test(arguments: TestServer.all)
    func `a full disk ends the backup and leaves nothing of it`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            // The server keeps it packed: the estimate says that it fits.
            try await source.query(
                """
                CREATE TABLE packed (id integer PRIMARY KEY, value text);
                INSERT INTO packed SELECT i, repeat('x', 100000) FROM generate_series(1, 300) i;
                """)
            let words =
                ["full", "database", "-path", "disk/repository"] + bench.connection()
                + ["--database", source.name]
            // A disk of its own, seen by this shell only and gone with it.
            let mount = """
                mkdir disk && mount -t tmpfs -o size=8m none disk || exit 90
                '\(try DBToolBinary.path())' \(words.joined(separator: " "))
                echo "exit code $?"
                find disk -type f
                df --output=used disk | tail -n 1
                """
            try bench.write(mount, to: "mount.sh")
            let end = try await bench.shell(
                "unshare --mount --propagation unchanged $([ $(id -u) = 0 ] || echo --map-root-user) sh mount.sh"
            )
            try #require(end.code == 0, "\(end)")
            #expect(end.output.contains("exit code 1"), "\(end)")
            #expect(end.errors.contains("No space left"), "\(end)")
            #expect(!end.output.contains(".csv"), "\(end)")
            #expect(!end.output.contains("metadata.json"), "\(end)")
        }
    }
}
