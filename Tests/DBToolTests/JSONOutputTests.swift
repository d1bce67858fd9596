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
