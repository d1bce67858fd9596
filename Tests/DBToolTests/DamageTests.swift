import BackupTesting
import Foundation
import Testing

/// Damage is found, named and never restored silently.
@Suite struct DamageTests {
    @Test(arguments: TestServer.all, [[], ["-compress", "zstd"]])
    func `one changed byte of a table is found, and no target is made`(
        server: TestServer, words: [String]
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source, words)
            let file = try backup.dataFile(of: "people")
            try Self.flip(file, at: 1 / 2)
            let name = try #require(file.split(separator: "/").last)

            let verify = try await bench.dbtool(["verify", "latest", "-path", bench.repository])
            #expect(verify.code == 4, "\(verify)")
            #expect(verify.output.contains(name), "\(verify)")
            let json = try await bench.dbtool(
                ["verify", "latest", "-path", bench.repository, "--json"])
            #expect(try JSON(parsing: json.output)["passed"] == .flag(false))

            let copy = bench.expectDatabase()
            try await bench.restore(into: copy).expect(code: 4, saying: String(name))
            #expect(
                try await bench.administration.query(
                    "SELECT count(*) FROM pg_database WHERE datname = '\(copy.name)'") == "0")
            try await bench.dbtool(["rows", "latest", "people", "-path", bench.repository])
                .expect(code: 4, saying: String(name))
        }
    }

    @Test(arguments: TestServer.all)
    func `every file of a backup is proven, byte by byte`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                .requireCode(0)
            let files = try await bench.shell("find . -type f", in: backup.folder).output
                .split(separator: "\n").map { String($0.dropFirst(2)) }
            #expect(files.count >= 8)
            for file in files where !["state.json", "metadata.json"].contains(file) {
                let path = "\(backup.folder)/\(file)"
                let whole = try Data(contentsOf: URL(fileURLWithPath: path))
                try Self.flip(path, at: 1)
                let changed = try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository])
                #expect(changed.code == 4, "\(file): \(changed)")
                // The list of checksums is as good without its last line end; without a line it is not.
                let tail = file == "SHA256SUMS" ? 66 + "schema.sql".count : 1
                try whole.dropLast(tail).write(to: URL(fileURLWithPath: path))
                let shorter = try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository])
                #expect(shorter.code == 4, "\(file): \(shorter)")
                try FileManager.default.removeItem(atPath: path)
                let missing = try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository])
                #expect(missing.code == 4, "\(file): \(missing)")
                try whole.write(to: URL(fileURLWithPath: path))
            }
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                .requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `changed metadata is found, listed and not restored`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            let file = "\(backup.folder)/metadata.json"
            let whole = try String(contentsOfFile: file, encoding: .utf8)
            try whole.replacing("\"people\"", with: "\"peoples\"", maxReplacements: 1)
                .write(toFile: file, atomically: true, encoding: .utf8)
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                .requireCode(4)
            let copy = bench.expectDatabase()
            try await bench.restore(backup.id, into: copy).expect(code: 4, saying: "metadata.json")
            #expect(
                try await bench.administration.query(
                    "SELECT count(*) FROM pg_database WHERE datname = '\(copy.name)'") == "0")

            try String(whole.dropLast(whole.count / 2))
                .write(toFile: file, atomically: true, encoding: .utf8)
            let list = try await bench.dbtool(["list", "-path", bench.repository])
            #expect(list.code == 0 && list.output.contains("unreadable: \(backup.id)"), "\(list)")
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                .requireCode(4)

            try whole.replacing("\"format_version\" : 1", with: "\"format_version\" : 999")
                .write(toFile: file, atomically: true, encoding: .utf8)
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                .expect(code: 1, saying: "999")
        }
    }

    @Test(arguments: TestServer.all)
    func `a missing table file is found before the target is made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            try FileManager.default.removeItem(atPath: try backup.dataFile(of: "pets"))
            let copy = bench.expectDatabase()
            try await bench.restore(backup.id, into: copy).expect(code: 4, saying: "pets")
            #expect(
                try await bench.administration.query(
                    "SELECT count(*) FROM pg_database WHERE datname = '\(copy.name)'") == "0")
        }
    }

    @Test(arguments: TestServer.all)
    func `a file that somebody has added is warned of, and all agree on the backup`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(backup.folder)/notes.txt"))
            let verify = ["verify", backup.id, "-path", bench.repository]
            let text = try await bench.dbtool(verify)
            #expect(text.code == 0 && text.output.contains("\(backup.id) verified"), "\(text)")
            #expect(text.output.contains("does not list notes.txt"), "\(text)")
            let document = try JSON(parsing: try await bench.dbtool(verify + ["--json"]).output)
            #expect(document["passed"] == .flag(true) && document["damage"].items.isEmpty)
            #expect(document["warnings"].items.count == 1)
            let show = try await bench.dbtool(["show", backup.id, "-path", bench.repository])
            #expect(show.output.contains("passed ("), "\(show)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a full is doubted when damage is found in what rests on it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let full = try await bench.backUp(source)
            let layer = try await bench.differential(source)
            let verify = ["verify", "-path", bench.repository]
            let list = ["list", "-path", bench.repository]
            try await bench.dbtool(verify + [full.id]).requireCode(0)
            let file = try full.dataFile(of: "people")
            try Self.flip(file, at: 1 / 2)
            try await bench.dbtool(verify + [layer.id]).requireCode(4)

            let text = try await bench.dbtool(list).output
            #expect(text.contains(", doubted"), "\(text)")
            #expect(text.contains("in doubt: verify of \(layer.id) found damage"), "\(text)")
            let document = try JSON(parsing: try await bench.dbtool(list + ["--json"]).output)
            let backups = document["backups"].items
            #expect(backups.map(\.["doubted_by"].string) == [layer.id, nil], "\(text)")
            #expect(backups.map(\.["verified"]["passed"].boolean) == [true, false], "\(text)")

            try Self.flip(file, at: 1 / 2)
            try await bench.dbtool(verify + [full.id]).requireCode(0)
            let later = try await bench.dbtool(list).output
            #expect(!later.contains("doubt"), "\(later)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a damaged or missing catalog changes nothing`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let first = try await bench.backUp(source)
            let catalog = "\(bench.repository)/backup_catalog.json"
            try "{ \"backups\": [".write(toFile: catalog, atomically: true, encoding: .utf8)
            let list = try await bench.dbtool(["list", "-path", bench.repository])
            #expect(list.code == 0 && list.output.contains(first.id), "\(list)")
            let second = try await bench.backUp(source)
            let listed = try JSON(parsing: String(contentsOfFile: catalog, encoding: .utf8))
            #expect(
                Set(listed["backups"].items.compactMap(\.["id"].string)) == [first.id, second.id])
            try FileManager.default.removeItem(atPath: catalog)
            try await bench.dbtool(["verify", "latest", "-path", bench.repository]).requireCode(0)
        }
    }

    /// What the server was sending for the comparison nobody wants any more, and its snapshot is needed for the rest.
    @Test(arguments: TestServer.all)
    func `a damaged row index costs the tables that are read after it nothing`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                """
                CREATE TABLE large (id integer PRIMARY KEY, note text);
                INSERT INTO large SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 300000) i; ANALYZE
                """)
            let backup = try await bench.backUp(source, ["-compress", "zstd"])
            try Self.flip("\(backup.folder)/index/large.rows.zst", at: 1 / 10)
            try await source.query(
                "UPDATE people SET name = 'x' WHERE id = 7; DELETE FROM large WHERE id = 8")
            for jobs in ["1", "2"] {
                let words = ["-basis", "compare", "--jobs", jobs]
                try await bench.layer("differential", source, words)
                    .expect(code: 0, saying: "large.rows.zst is damaged")
                try await bench.expectEqual(source, try await bench.restored())
            }
        }
    }

    /// Changes one bit of a file, at a part of its length.
    private static func flip(_ path: String, at part: Double) throws {
        let url = URL(fileURLWithPath: path)
        var bytes = [UInt8](try Data(contentsOf: url))
        let position = min(bytes.count - 1, Int(Double(bytes.count) * part))
        bytes[position] ^= 1
        try Data(bytes).write(to: url)
    }
}
