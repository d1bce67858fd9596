import BackupTesting
import Foundation
import Testing

/// What `show` and `list` tell about a backup.
@Suite struct ShowTests {
    @Test(arguments: TestServer.all)
    func `show tells everything about one backup`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                """
                CREATE EXTENSION hstore;
                CREATE TABLE "odd.name" (a integer, b integer, PRIMARY KEY (b, a));
                SELECT lo_create(0);
                """)
            let backup = try await bench.backUp(
                source, ["-compress", "zstd", "--exclude-tablename", "pets"])
            let verify = try await bench.dbtool(["verify", "latest", "-path", bench.repository])
            #expect(verify.output.contains("  rows left out  public.pets"), "\(verify)")
            let text = try await show(bench, "latest").output
            for words in [
                "\(backup.id) completed", "full backup, scope database", source.name,
                "PostgreSQL \(server.major)", "s ago", "rows left out  public.pets",
                "packed with zstd", "extensions     hstore", "roles          \(server.superuser)",
                "database UTF8", "large objects  1", "sequences      1", "verified       passed",
                "drilled        never", "pinned         no", "under ACCESS SHARE locks",
            ] {
                #expect(text.contains(words), "\(words) is missing in:\n\(text)")
            }
            let tables = text.split(separator: "\n").map {
                $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
            }
            #expect(tables.contains("TABLE ROWS SIZE KEY MODE"), "\(text)")
            #expect(tables.contains { $0.hasPrefix("public.people 1,000 ") }, "\(text)")
            #expect(tables.contains { $0.hasPrefix("public.\"odd.name\" 0 ") }, "\(text)")
            #expect(tables.contains { $0.hasSuffix(" b, a whole") }, "\(text)")
        }
    }

    @Test(arguments: TestServer.all)
    func `show has a line for each warning of a backup`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            let file = URL(fileURLWithPath: "\(backup.folder)/metadata.json")
            let read = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
            var metadata = try #require(read as? [String: Any])
            metadata["warnings"] = ["no triggers: GRANT a;", "no events: GRANT b;"]
            try JSONSerialization.data(withJSONObject: metadata).write(to: file)
            let lines = try await show(bench, backup.id).output.split(separator: "\n")
            let told = lines.filter { $0.hasPrefix("  warning ") }
            #expect(told.count == 2, "\(lines)")
            #expect(told.first?.hasSuffix("no triggers: GRANT a;") == true, "\(lines)")
        }
    }

    @Test(arguments: TestServer.all)
    func `show answers with its metadata and its state as a document`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source, ["-compress", "true"])
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository]).requireCode(0)
            let document = try JSON(parsing: try await show(bench, backup.id, ["--json"]).output)
            #expect(document["metadata"] == (try backup.metadata()))
            #expect(document["state"]["verified"]["passed"] == .flag(true))
            #expect(document["archive"]["path"].string == "\(backup.folder).zip")
            let zip = try FileManager.default.attributesOfItem(atPath: "\(backup.folder).zip")
            #expect(document["archive"]["size_bytes"].integer == zip[.size] as? Int)
            let size = try await bench.shell(
                "find '\(backup.folder)' -type f -printf '%s\\n' | awk '{s += $1} END {print s}'")
            #expect(document["stored_bytes"].integer == Int(size.output.dropLast()), "\(size)")
        }
    }

    @Test(arguments: TestServer.all)
    func `list tells what was proven of each backup, and when`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backups = [
                try await bench.backUp(source), try await bench.backUp(source),
                try await bench.backUp(source), try await bench.backUp(source),
            ]
            try await bench.dbtool(["verify", backups[1].id, "-path", bench.repository])
                .requireCode(0)
            try FileManager.default.removeItem(atPath: "\(backups[2].folder)/state.json")
            try Data(
                """
                {"pinned": true, "drilled":
                 {"at": "2020-01-01T00:00:00+00:00", "passed": false, "seconds": 61.5}}
                """.utf8
            ).write(to: URL(fileURLWithPath: "\(backups[3].folder)/state.json"))

            let lines = try await list(bench)
            #expect(lines[0].contains("VERIFIED  DRILLED"))
            #expect(lines[1].contains("never     never"))
            #expect(lines[2].contains("s ago"))
            #expect(lines[3].contains("unknown   unknown"))
            #expect(lines[4].contains("FAILED") && lines[4].contains("y ago, 62 s "))
            #expect(lines[4].hasSuffix("completed, pinned"))

            let document = try JSON(
                parsing: try await bench.dbtool(["list", "--json", "-path", bench.repository])
                    .output)
            #expect(document["backups"][1]["verified"]["passed"] == .flag(true))
            #expect(document["backups"][2].keys.contains("verified") == false)
            #expect(document["backups"][3]["drilled"]["seconds"] == .number(61.5))
            // The shape of the catalog, and more.
            for key in [
                "id", "type", "status", "timestamp_start", "duration_seconds", "statistics",
            ] {
                #expect(document["backups"][0].keys.contains(key))
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `list of one database leaves out the others`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let (mine, others) = (try await bench.small("mine"), try await bench.small("others"))
            let (own, other) = (try await bench.backUp(mine), try await bench.backUp(others))
            let words = ["list", "-path", bench.repository]
            // A run that reached nobody is told of its database too.
            try await bench.full(mine, ["--port", "1"]).expect(code: 5)
            for (database, failures) in [(mine, 1), (others, 0)] {
                let list = try await bench.dbtool(words + ["--database", database.name])
                let lines = list.output.split(separator: "\n").filter { $0.contains("failed") }
                #expect(lines.count == failures, "\(list)")
            }
            let text = try await bench.dbtool(words + ["--database", mine.name])
            #expect(text.output.contains(own.id) && !text.output.contains(other.id), "\(text)")
            let json = try await bench.dbtool(words + ["--database", mine.name, "--json"])
            #expect(
                try JSON(parsing: json.output)["backups"].items.compactMap(\.["path"].string)
                    == [own.id])
            let none = try await bench.dbtool(words + ["--database", "others"])
            #expect(none.code == 0, "\(none)")
            #expect(none.output.hasPrefix("no backups of that database in "), "\(none)")
            let all = try await bench.dbtool(words, environment: ["DB_NAME": mine.name])
            #expect(all.output.contains(own.id) && all.output.contains(other.id), "\(all)")
        }
    }

    @Test(arguments: TestServer.all)
    func `list and show work on a repository that is only readable`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            try Data("{".utf8).write(to: URL(fileURLWithPath: "\(backup.folder)/state.json"))
            let dbtool = try DBToolBinary.path()
            let end = try await bench.shell(
                """
                unshare --mount --propagation unchanged $([ $(id -u) = 0 ] || echo --map-root-user) sh -ec '
                  mount --bind repository repository && mount -o remount,bind,ro repository
                  \(dbtool) list -path repository && \(dbtool) show latest -path repository
                  ! touch repository/x 2>/dev/null'
                """)
            try end.requireCode(0)
            #expect(end.output.contains("unknown   unknown"), "\(end)")
            #expect(end.output.contains("pinned       unknown"), "\(end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a line of the list fits a usual terminal`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            try Data(
                """
                {"pinned": true,
                 "verified": {"at": "2026-01-01T00:00:00+00:00", "passed": true, "seconds": 61.5},
                 "drilled": {"at": "2026-01-01T00:00:00+00:00", "passed": true, "seconds": 3000}}
                """.utf8
            ).write(to: URL(fileURLWithPath: "\(backup.folder)/state.json"))
            let line = try await list(bench)[1]
            // The database's name of a test is longer than usual.
            let name = source.name.count - "production".count
            #expect(line.count - name <= 120, "\(line)")
        }
    }

    /// The progress line and the report once stood on one line.
    @Test(arguments: TestServer.all)
    func `on a terminal a report begins on a line of its own`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let words = ["full", "database", "-path", bench.repository, "--database", source.name]
            let command = ([try DBToolBinary.path()] + words + bench.connection())
                .joined(separator: " ")
            let end = try await bench.shell("TERM=xterm script -qec '\(command)' /dev/null")
            try end.requireCode(0)
            let report = try #require(end.output.firstRange(of: "full_t_"))
            let before = end.output[..<report.lowerBound]
            // Where it went too fast for a line there is nothing to remove.
            #expect(before.isEmpty || before.hasSuffix("\r\u{1B}[K"), "\(end)")
        }
    }

    private func show(
        _ bench: Workbench, _ point: String, _ words: [String] = []
    ) async throws -> ProgramEnd {
        let end = try await bench.dbtool(["show", point, "-path", bench.repository] + words)
        try end.requireCode(0)
        #expect(end.errors == "", "\(end)")
        return end
    }

    private func list(_ bench: Workbench) async throws -> [Substring] {
        let end = try await bench.dbtool(["list", "-path", bench.repository])
        try end.requireCode(0)
        return end.output.split(separator: "\n")
    }
}
