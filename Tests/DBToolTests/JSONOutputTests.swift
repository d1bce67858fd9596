import BackupTesting
import Testing

/// With `--json` standard output is one document, whatever happens.
@Suite struct JSONOutputTests {
    @Test(arguments: TestServer.all)
    func `every command answers with one document`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            #expect(backup.report["statistics"]["total_tables"].integer == 2)
            #expect(backup.report["statistics"]["total_rows_processed"].integer == 1500)
            #expect(backup.report["status"].string == "completed")

            let list = try await document(bench, ["list"])
            #expect(list["backups"][0]["id"].string == backup.id)
            #expect(list["backups"][0]["type"].string == "full")
            #expect(list["unfinished"] == .array([]))

            let verify = try await document(bench, ["verify", "latest"])
            #expect(verify["passed"] == .flag(true) && verify["rows"].integer == 1500)

            let copy = bench.expectDatabase()
            let restore = try await document(
                bench, ["restore", "latest", "--into", copy.name, "--create"] + bench.connection())
            #expect(restore["rows"].integer == 1500)
            #expect(restore["database"].string == copy.name)

            // Commands of the console are no different.
            func console(_ line: String, code: Int32) async throws -> JSON {
                let end = try await bench.dbtool(
                    ["backup", "-c", line, "--json", "-path", bench.repository])
                #expect(end.code == code, "\(end)")
                return try JSON(parsing: end.output)
            }
            #expect(try await console("list", code: 0)["backups"][0]["id"].string == backup.id)
            #expect(
                try await console("lisst", code: 2)["error"]["hint"].string?.contains("list")
                    == true)
        }
    }

    @Test(arguments: TestServer.all)
    func `SQL answers with one document, whatever comes of its statements`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("rows")
            try await source.query(
                "CREATE TABLE t (id integer, v text); INSERT INTO t VALUES (1, 'a'), (2, NULL)")
            func sql(_ words: String..., code: Int32) async throws -> JSON {
                let end = try await bench.dbtool(
                    ["sql"] + words + ["--json", "--database", source.name] + bench.connection())
                #expect(end.code == code, "\(end)")
                return try JSON(parsing: end.output)
            }
            let read = try await sql(
                "SELECT * FROM t ORDER BY id; SELECT id FROM t WHERE id > 5; DELETE FROM t", code: 1
            )["results"].items
            #expect(read.count == 3 && read[0]["rows"].items.count == 2)
            #expect(read[0]["rows"][0] == .object(["id": .number(1), "v": .text("a")]))
            #expect(read[1] == .object(["rows": .array([])]))
            #expect(read[2] == .object(["skipped": .text("DELETE FROM t")]))

            let written = try await sql(
                "INSERT INTO t VALUES (3, 'c') RETURNING id; UPDATE t SET v = 'x'",
                "--allow-writes", code: 0)
            #expect(written["results"][0]["rows"][0]["id"].integer == 3)
            #expect(written["results"][1] == .object(["done": .text("UPDATE 3")]))

            // The first hundred rows are there before the server comes to what it cannot compute.
            let broken = try await sql(
                "SELECT 1000 / (150 - i) AS n FROM generate_series(1, 200) i", code: 1)
            #expect(broken["results"][0]["rows"].items.count == 100)
            #expect(broken["error"]["code"].string == "server_refused")
            #expect(try await sql("SELECT 1/0", code: 1).keys == ["error"])
            #expect(
                try await sql("SELECT 1", "-format", "csv", code: 2)["error"]["code"].string
                    == "usage")

            let extract = try await sql(
                "SELECT * FROM t", "-extract", "-path", bench.folder, "-format", "csv", code: 0)
            #expect(extract["results"][0]["row_count"].integer == 3)
            #expect(extract["results"][0]["file"].string?.hasSuffix(".csv") == true)
        }
    }

    private func document(_ bench: Workbench, _ words: [String]) async throws -> JSON {
        let end = try await bench.dbtool(words + ["-path", bench.repository, "--json"])
        try end.requireCode(0)
        return try JSON(parsing: end.output)
    }

    @Test(arguments: TestServer.all)
    func `errors are documents too, with code, message and hint`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let path = ["-path", bench.repository]
            let cases: [(words: [String], code: Int32, name: String)] = [
                (["verify", "latest"] + path, 1, "not_found"), (["list"], 2, "usage"),
                (["full", "database", "--wrong"] + path, 2, "usage"), (["fulll"], 2, "usage"),
                (["restore", "latest"] + path, 2, "usage"),
                (["full", "database", "--host", bench.folder] + path, 5, "connection_failed"),
                (["list", "--env-file", "missing"], 2, "usage"),
            ]
            for (words, code, name) in cases {
                for flag in ["--json", "-json"] {
                    let end = try await bench.dbtool(words + [flag])
                    #expect(end.code == code, "\(end)")
                    let error = try JSON(parsing: end.output)["error"]
                    #expect(error["code"].string == name, "\(end)")
                    #expect(error["message"].string?.isEmpty == false, "\(end)")
                    #expect(error.keys.isSubset(of: ["code", "message", "hint"]), "\(end)")
                }
            }
        }
    }
}
