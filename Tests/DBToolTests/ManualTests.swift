import ArgumentParser
import BackupTesting
import Foundation
import Testing

@testable import DBTool

@Suite struct ManualTests {
    @Test func `the manual has every command and every option, from the parser itself`() throws {
        let tree = try CommandTree(of: DBTool.self)
        let page = Manual(of: tree, date: "2026-11-22").text
        func check(_ command: CommandTree.Command, _ name: String) {
            for child in command.children { check(child, "\(name) \(child.commandName)") }
            guard command.children.isEmpty else { return }
            #expect(page.contains(".SS \(Roff.escaped(name))\n"), "\(name)")
            for option in command.shownArguments.flatMap(\.written) {
                #expect(page.contains(Roff.bold(option)), "\(name) \(option)")
            }
        }
        check(tree.command, "dbtool")
        for code in ExitCode.allCases { #expect(page.contains(Roff.bold("\(code.rawValue)"))) }
        for title in ["NAME", "SYNOPSIS", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS"] {
            #expect(page.contains(".SH \(title)\n"))
        }
    }

    @Test(arguments: [
        ("plain words", "plain words"), ("-a.b\\c", "\\-a.b\\ec"), (".TH x", "\\&.TH x"),
        ("'x'", "\\(aqx\\(aq"), ("a\n\n.b", "a\n\\&.b"),
        ("é · 😀", "\\[u00E9] \\[u00B7] \\[u1F600]"),
        ("~/x `y` ^", "\\(ti/x \\(gay\\(ga \\(ha"),
    ])
    func `no word is a command to roff`(words: String, text: String) {
        #expect(Roff.text(words) == text)
    }

    @Test func `long text is cut at spaces`() {
        let lines = Roff.text(String(repeating: "word ", count: 100)).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count < 80 })
        #expect(lines.joined(separator: " ").split(separator: " ").count == 100)
    }

    @Test(arguments: ManualSections.examples.map(\.value))
    func `an example is a command`(example: String) throws {
        let words = example.split(separator: " ").dropFirst().map { $0.filter { $0 != "'" } }
        _ = try DBTool.parseAsRoot(Array(words))
    }

    /// The table is used by the manual only: this keeps it true.
    @Test func `every variable that settings are read from is known, and no other`() throws {
        let files = FileManager.default.enumerator(atPath: "\(DBToolBinary.package)/Sources/DBTool")
        var read: Set<String> = []
        while let file = files?.nextObject() as? String {
            guard file.hasSuffix(".swift"), !file.hasSuffix("Variable.swift") else { continue }
            let path = "\(DBToolBinary.package)/Sources/DBTool/\(file)"
            for match in try String(contentsOfFile: path, encoding: .utf8)
                .matches(of: /"(DB_[A-Z_]+)"/)
            {
                read.insert(String(match.1))
            }
        }
        #expect(Set(Variable.all.map(\.name)) == read)
        let options = try CommandTree(of: FullDatabaseCommand.self).command.optionNames
        for variable in Variable.all { #expect(options.contains("--\(variable.option)")) }
    }

    @Test(arguments: TestServer.all)
    func `man and mandoc show the page without a warning`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let manual = try await bench.dbtool(["manual"])
            try manual.requireCode(0)
            try bench.write(manual.output, to: "dbtool.1")
            // Not every machine has them.
            let end = try await bench.shell(
                """
                ! command -v man >/dev/null || man --warnings -l dbtool.1 2>&1 >/dev/null
                ! command -v mandoc >/dev/null || mandoc -T lint dbtool.1 2>&1
                """)
            #expect(end.code == 0 && end.output == "" && end.errors == "", "\(end)")
        }
    }
}
