import ArgumentParser
import BackupCore
import Foundation
import Testing

@testable import DBTool

@Suite struct CompletionWordsTests {
    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("'two words'", "two words"), ("two\\ words", "two words"),
        ("'open", "open"), ("\"open", "open"), ("a'b c'd", "ab cd"), ("'it'\\''s'", "it's"),
        ("\"say \\\"hi\\\"\"", "say \"hi\""), ("'a\\b'", "a\\b"), ("end\\", "end\\"),
        ("~/x", "HOME/x"), ("$HOME/x", "HOME/x"), ("\"${HOME}/a b\"", "HOME/a b"), ("'~/x'", "~/x"),
        ("a~/x", "a~/x"),
    ])
    func `a typed word is what the shell makes of it`(typed: String, value: String) throws {
        let home = try #require(ProcessInfo.processInfo.environment["HOME"])
        #expect(ShellWord(typed: typed).value == value.replacing("HOME", with: home))
    }

    @Test(arguments: [
        ("people", "people", "'people'", "people"), ("a:b\\c", "a:b\\c", "'a:b\\c'", "a\\:b\\\\c"),
        ("$(x)`y`", "$(x)`y`", "'$(x)`y`'", "$(x)`y`"), ("it's", "it's", "'it'\\''s'", "it's"),
        ("two words", "two words", "'two words'", "two words"),
        ("a.b", "\"a.b\"", "'\"a.b\"'", "\"a.b\""),
        ("q\"", "\"q\"\"\"", "'\"q\"\"\"'", "\"q\"\"\""),
        // Signs with an accent upon them are the same signs.
        ("\"\u{301}", "\"\"\"\u{301}\"", "'\"\"\"\u{301}\"'", "\"\"\"\u{301}\""),
        ("'\u{301}", "'\u{301}", "''\\''\u{301}'", "'\u{301}"),
    ])
    func `a table is offered as the pattern and the shell need it`(
        name: String, pattern: String, bash: String, zsh: String
    ) throws {
        let table = TableName(schema: "public", name: name)
        let candidate = CompletionCandidate(table, defaultSchema: "public", isQualified: false)
        #expect(candidate.text == pattern)
        #expect(try TablePattern(candidate.text).matches(table, defaultSchema: "public"))
        #expect(candidate.line(for: .bash) == bash)
        #expect(candidate.line(for: .zsh) == zsh)
        #expect(candidate.line(for: .fish) == pattern)
    }

    @Test func `a table of another schema is offered with it, one that no line can hold is not`() {
        let table = TableName(schema: "Odd.S", name: "t")
        let candidate = CompletionCandidate(table, defaultSchema: "public", isQualified: false)
        #expect(candidate.text == "\"Odd.S\".t")
        #expect(CompletionCandidate(text: "a\nb").line(for: .bash) == nil)
        #expect(CompletionCandidate(text: "a\tb").line(for: .fish) == nil)
    }

    @Test func `a line says which repository, server and point it means`() throws {
        let tree = try CommandTree(of: DBTool.self)
        let line = CompletionLine(
            [
                "dbtool", "Rows", "-path", "'/my backups'", "--json", "latest", "--host=h", "pe",
                "-database", "d",
            ], index: 7, shell: .zsh, tree: tree)
        #expect(line.current == "pe")
        #expect(line.positionals == ["latest"])
        #expect(try line.parsed(as: RepositoryOptions.self).path == "/my backups")
        let connection = try line.parsed(as: ConnectionOptions.self)
        #expect(connection.host == "h" && connection.database == "d" && connection.user == nil)
    }

    @Test func `bash's breaks at colons and equal signs are mended`() throws {
        let tree = try CommandTree(of: DBTool.self)
        let line = CompletionLine(
            [
                "dbtool", "full", "tables", "--url", "postgresql", ":", "//u@h", ":", "5432/d",
                "--path", "=", "x", "-tablename", "",
            ], index: 13, shell: .bash, tree: tree)
        #expect(line.current == "" && line.positionals == [])
        #expect(try line.parsed(as: ConnectionOptions.self).url == "postgresql://u@h:5432/d")
        #expect(try line.parsed(as: RepositoryOptions.self).path == "x")
    }

    @Test(arguments: [CompletionShell.bash, .zsh, .fish])
    func `the parser still writes its scripts as they are mended here`(shell: CompletionShell) {
        #expect(CompletionScript(for: shell).missed == [])
    }
}
