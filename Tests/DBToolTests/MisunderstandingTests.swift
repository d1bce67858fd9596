import ArgumentParser
import BackupCore
import BackupTesting
import Foundation
import Testing

@testable import DBTool

/// What is said about words that are not understood names what may have been meant.
@Suite struct MisunderstandingTests {
    @Test(arguments: [
        (["verfy"], "unknown command 'verfy'", "Nearest: verify."),
        (["VERFY", "latest"], "unknown command 'VERFY'", "Nearest: verify."),
        (["verfy", "latest", "-path", "x"], "unknown command 'verfy'", "Nearest: verify."),
        (["full", "databse"], "unknown command 'databse'", "Nearest: database."),
        (["full", "xyzzy"], "unknown command 'xyzzy'", "\"dbtool help full\" shows"),
        (
            ["xyzzy"], "unknown command 'xyzzy'",
            "\"dbtool help\" shows every command, \"dbtool help COMMAND\" its options."
        ),
        (["list", "--databse", "x"], "unknown option '--databse'", "Nearest: --database."),
        (["list", "-pth", "x"], "unknown option '-pth'", "Nearest: -path."),
        (
            ["list", "--jobs", "3"], "unknown option '--jobs'",
            "It is an option of full database, full tables, differential backup, "
        ),
        (["list", "--xyzzy"], "unknown option '--xyzzy'", "\"dbtool help list\" shows"),
        (["rows", "latest"], "missing expected argument '<table>'", "\"dbtool help rows\" shows"),
        (["list", "extra"], "unexpected argument 'extra'", "\"dbtool help list\" shows"),
        (
            ["full", "database", "--lock-timeout", "2s"],
            "the value '2s' is invalid for '--lock-timeout <lock-timeout>'",
            "--lock-timeout: Seconds to wait for a locked table."
        ),
        (
            ["differential", "backup", "-max-days", "1w"],
            "the value '1w' is invalid for '-max-days <max-days>'",
            "-max-days: A chain ends when its full is so many days old."
        ),
        (
            ["full", "database", "--compress", "gzip"],
            """
            the value 'gzip' is invalid for '--compress <compress>'. \
            Please provide one of 'true', 'false' or 'zstd'.
            """,
            "\"dbtool help full database\" shows"
        ),
    ])
    func `the nearest command or option is named`(
        words: [String], message: String, hint: String
    ) throws {
        let error = try #require(throws: (any Error).self) { try DBTool.parseAsRoot(words) }
        let misunderstanding = Misunderstanding(words, DBTool.message(for: error)).error
        #expect(misunderstanding.message == message)
        #expect(misunderstanding.hint?.hasPrefix(hint) == true, "\(misunderstanding)")
        #expect(misunderstanding.code == .usage)
    }

    @Test(arguments: TestServer.all)
    func `the nearest backup or table is named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query("CREATE SCHEMA warehouse; CREATE TABLE warehouse.stock (a int)")
            let id = try await bench.backUp(source).id
            try FileManager.default.createDirectory(
                atPath: "\(bench.repository)/\(id.dropLast(4))ffff",
                withIntermediateDirectories: false)
            let path = ["-path", bench.repository]
            let wrong = String(id.dropLast(20)).replacing("small", with: "smlal")
            let cases: [(words: [String], code: Int32, saying: [String])] = [
                (["rows", "latest", "poeple"], 2, ["no table poeple", "Nearest: people."]),
                (["rows", "latest", "public.poeple"], 2, ["Nearest: public.people"]),
                (["rows", "latest", "wharehouse.stock"], 2, ["Nearest: warehouse.stock."]),
                (["rows", "latest", "xyzzy"], 2, ["\"dbtool show \(id)\" lists its tables"]),
                (["history", "poeple", "1"], 2, ["no table poeple", "Nearest: people."]),
                (
                    ["diff", id, id, "-tablename", "poeple"], 2,
                    ["neither backup has a table of that name"]
                ),
                (
                    ["restore", id, "--into", "x", "--create", "-tablename", "poeple"]
                        + bench.connection(), 2, ["no table poeple", "Nearest: people."]
                ),
                (["show", wrong], 1, ["no backup is called \(wrong)", "Nearest: \(id)."]),
                (["verify", "latst"], 1, ["Nearest: latest."]),
                (
                    ["show", "xyzzy"], 1,
                    ["The repository holds backups of \(source.name)", "dbtool list"]
                ),
                (
                    ["show", "latest", "--database", "othr"], 1,
                    ["The repository holds backups of \(source.name)"]
                ),
                (["show", "2001-01-01"], 1, ["The oldest is \(id)"]),
                (["show", "\(id.dropLast(4))ffff"], 1, ["is not finished"]),
                (["restore", "xyzzy", "--into", "x"] + bench.connection(), 1, [source.name]),
            ]
            for (words, code, saying) in cases {
                let end = try await bench.dbtool(words + path)
                #expect(end.code == code, "\(end)")
                for words in saying { #expect(end.errors.contains(words), "\(end)") }
            }
            try await bench.full(source, scope: ["tables", "-tablename", "wharehouse.*"])
                .expect(code: 2, saying: "Nearest schemas: warehouse.")
            try await bench.full(source, ["--exclude-tablename", "public.poeple"])
                .expect(code: 2, saying: "Nearest: public.people")
        }
    }
}
