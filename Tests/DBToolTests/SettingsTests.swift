import ArgumentParser
import BackupCore
import BackupTesting
import Foundation
import Testing

@testable import DBTool

/// Each test has variables of its own: the environment belongs to all tests.
@Suite struct SettingsTests {
    @Test func `flags come before the environment, the environment before the file`() async throws {
        try await withSettings("DB_UNIT_A=file\nDB_UNIT_B=file\nDB_UNIT_C=file\n") {
            setenv("DB_UNIT_A", "environment", 1)
            setenv("DB_UNIT_B", "environment", 1)
        } check: { settings in
            #expect(settings.value("flag", "DB_UNIT_A") == "flag")
            #expect(settings.value(nil, "DB_UNIT_B") == "environment")
            #expect(settings.value(nil, "DB_UNIT_C") == "file")
            #expect(settings.value(nil, "DB_UNIT_D") == nil)
        }
    }

    @Test func `a port that is none is told with the place that it came from`() async throws {
        try await withTemporaryFolder { folder in
            try Data("DB_PORT=abc\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/.env"))
            for (words, told) in [
                ([], "port abc (DB_PORT in .env) is not a number"),
                (["--port", "x"], "port x is not a number"),
            ] as [([String], String)] {
                try await Program.run(
                    DBToolBinary.path(),
                    ["full", "database", "--db", "mysql", "-path", "x"] + words,
                    environment: ["HOME": folder], folder: folder
                ).expect(code: 2, saying: told)
            }
        }
    }

    @Test func `an empty variable is as good as none`() async throws {
        try await withSettings("DB_UNIT_E=file\nDB_UNIT_F=\n") {
            setenv("DB_UNIT_E", "", 1)
        } check: { settings in
            #expect(settings.value(nil, "DB_UNIT_E") == "file")
            #expect(settings.value(nil, "DB_UNIT_F") == nil)
        }
    }

    @Test(
        arguments: [
            ("plain", "plain"), ("\"two words\"", "two words"), ("'single'", "single"),
            ("\"half", "\"half"), ("it's", "it's"), ("a=b=c", "a=b=c"), ("p#ss", "p#ss"),
            ("\"\"", nil), ("$HOME", "$HOME"), ("a\\nb", "a\\nb"), ("\"say \"hi\"\"", "say \"hi\""),
            ("pässwörd 😀", "pässwörd 😀"),
        ] as [(String, String?)])
    func `a value of the file is taken as written, without its quotes`(
        written: String, value: String?
    ) async throws {
        let text = "# a comment\n\nDB_UNIT_G=\(written)\nDB_UNIT_H=next\n"
        try await withSettings(text) {
        } check: { settings in
            #expect(settings.value(nil, "DB_UNIT_G") == value)
            #expect(settings.value(nil, "DB_UNIT_H") == "next")
        }
    }

    @Test func `lines may end in CR and LF, and a byte order mark may come first`() async throws {
        let text =
            "\u{FEFF}DB_UNIT_I=first\r\n# comment\r\nDB_UNIT_J=\"second one\"\r\n\r\nDB_UNIT_K=3"
        try await withSettings(text) {
        } check: { settings in
            #expect(settings.value(nil, "DB_UNIT_I") == "first")
            #expect(settings.value(nil, "DB_UNIT_J") == "second one")
            #expect(settings.value(nil, "DB_UNIT_K") == "3")
        }
    }

    @Test func `lines that are left out are told by their numbers, never by what they hold`()
        async throws
    {
        let text = """
            # comment

            DB_UNIT_L=1
            DB_HOST hunter2
            DB_PASSWORD: hunter2=
            export OTHER=1
            export DB_USER=hunter2
            DB_UNIT_M="hunter2" # comment
            APP="open
            """
        try await withSettings(text) {
        } check: { settings in
            #expect(settings.lineNotes.count == 2)
            #expect(settings.lineNotes.first?.hasSuffix(": line 4, line 5, line 7") == true)
            #expect(settings.lineNotes.last?.hasSuffix(": line 8") == true)
            #expect(!settings.lineNotes.joined().contains("hunter2"), "\(settings.lineNotes)")
            #expect(settings.value(nil, "DB_UNIT_L") == "1")
        }
        try await withSettings("DB_UNIT_N='one'\n") {
        } check: { settings in
            #expect(settings.lineNotes.isEmpty)
        }
        try await withSettings(String(repeating: "words\r\n", count: 9)) {
        } check: { settings in
            #expect(settings.lineNotes.first?.hasSuffix("line 5 and 4 more") == true)
        }
    }

    @Test func `a name with different values is told with its lines, and the last counts`()
        async throws
    {
        let text = """
            DB_UNIT_O=hunter2
            DB_UNIT_P=one
            APP=1
            DB_UNIT_O="hunter2"
            DB_UNIT_P='one'
            APP=2
            DB_UNIT_O=hunter3
            """
        try await withSettings(text) {
        } check: { settings in
            #expect(settings.value(nil, "DB_UNIT_O") == "hunter3")
            #expect(settings.value(nil, "DB_UNIT_P") == "one")
            #expect(settings.lineNotes.count == 1)
            let note = settings.lineNotes.first ?? ""
            #expect(
                note.hasSuffix(
                    ": DB_UNIT_O has different values, of which the last counts: line 1, line 4, line 7"
                ), "\(note)")
            #expect(!note.contains("hunter"), "\(note)")
        }
    }

    @Test(
        arguments: [
            ("DB_DATABASE=x\n", [], true), ("DB_DATABASE=x\nDB_NAME=y\n", [], false),
            ("DB_DATABASE=x\n", ["--database", "y"], false),
            ("DB_DATABASE=x\n", ["--url", "mysql://u@h/y"], false),
            ("DB_DATABASE=\n", [], false), ("DB_HOST=x\n", [], false),
        ] as [(String, [String], Bool)])
    func `the name that other programs have for the database is told where it would have named one`(
        text: String, words: [String], isTold: Bool
    ) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/settings"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let options = try ConnectionOptions.parse(["--env-file", file] + words)
            let note = try Settings(options).databaseNote(options)
            #expect((note != nil) == isTold)
            #expect(note?.hasPrefix("DB_DATABASE in \(file) is not read") ?? true)
        }
    }

    @Test func `a file that was asked for must be there`() async throws {
        for arguments in [
            ["--env-file", "/nowhere/.env"], ["--env-file", "/nowhere", "--config", "file"],
        ] {
            let options = try ConnectionOptions.parse(arguments)
            let error = #expect(throws: BackupError.self) { try Settings(options) }
            #expect(error?.code == .usage)
            #expect(error?.message.contains("/nowhere") == true)
        }
    }

    @Test(arguments: [[], ["--config", "file"]])
    func `a folder in the place of the file is refused with words`(words: [String]) async throws {
        try await withTemporaryFolder { folder in
            let options = try ConnectionOptions.parse(["--env-file", folder] + words)
            let error = #expect(throws: BackupError.self) { try Settings(options) }
            #expect(error?.code == .usage && error?.underlying == nil)
            #expect(error?.message == "settings file \(folder) is a folder")
            #expect(error?.hint?.contains("--config manual") == true)
        }
    }

    @Test func `manual reads no file, not even one that is named`() async throws {
        let options = try ConnectionOptions.parse(["--config", "manual", "--env-file", "/nowhere"])
        #expect(try Settings(options).value(nil, "DB_UNIT_Z") == nil)
    }

    private func withSettings(
        _ text: String, prepare: () -> Void, check: (Settings) -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/settings"))
            prepare()
            let options = try ConnectionOptions.parse(["--env-file", "\(folder)/settings"])
            check(try Settings(options))
        }
    }
}
