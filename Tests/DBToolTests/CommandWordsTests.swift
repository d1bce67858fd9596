import ArgumentParser
import Testing

@testable import DBTool

@Suite struct CommandWordsTests {
    @Test(arguments: [
        (["FULL", "Database", "-path", "X"], ["full", "database", "-path", "X"]),
        (["List"], ["list"]), ([], []), (["VERIFY", "Latest"], ["verify", "Latest"]),
        (["Rows", "LATEST", "List"], ["rows", "LATEST", "List"]),
        (["-path", "LIST"], ["-path", "LIST"]),
        (["Full", "nonsense", "Database"], ["full", "nonsense", "Database"]),
    ])
    func `command words match without regard to case, and nothing else is touched`(
        arguments: [String], normalized: [String]
    ) {
        #expect(CommandWords.normalized(arguments, in: DBTool.self) == normalized)
    }

    @Test func `the children of a command are offered to those who mistyped one`() {
        #expect(
            CommandWords.children(of: ["full", "databse"], in: DBTool.self) == [
                "database", "tables",
            ])
        #expect(CommandWords.children(of: ["lits"], in: DBTool.self).contains("list"))
    }

    @Test(arguments: [
        (["full", "database", "-path", "x"], ["full", "database"]), (["list"], ["list"]),
        (["full", "nonsense"], ["full"]), (["-path", "list"], []), ([], []),
        (["rows", "full", "database"], ["rows"]),
    ])
    func `a command's name is its words`(arguments: [String], command: [String]) {
        #expect(CommandWords.command(in: arguments, of: DBTool.self) == command)
    }

    @Test func `the help lists every exit code`() {
        #expect(DBTool.helpMessage(columns: 1000).contains(ExitCodeTests.list))
    }

    @Test(arguments: ["-path", "--path"])
    func `one dash or two are the same`(option: String) throws {
        let command = try DBTool.parseAsRoot([
            "list", option, "/backups", option.dropLast(4) + "host", "h",
        ])
        let list = try #require(command as? ListCommand)
        #expect(list.repository.path == "/backups")
        #expect(list.connection.host == "h")
    }

    @Test func `a full backup is told what to do by its options`() throws {
        let command = try DBTool.parseAsRoot([
            "full", "tables", "-tablename", "users", "--tablename", "sales.*", "-compress", "zstd",
            "-jobs", "4", "-exclude-tablename", "logs", "-skip-unreadable", "-lock-timeout", "5",
        ])
        let full = try #require(command as? FullTablesCommand)
        #expect(full.tables == ["users", "sales.*"])
        #expect(full.options.compress == .zstd)
        #expect(full.options.jobs.jobs == 4)
        #expect(full.options.excluded == ["logs"])
        #expect(full.options.skipUnreadable && full.options.lockTimeout == 5)
    }

    @Test(arguments: [
        ["full", "database", "--jobs", "0"], ["full", "database", "--jobs", "65"],
        ["full", "database", "--compress", "gzip"], ["full", "database", "--lock-timeout", "0"],
        ["full", "tables"], ["restore", "latest"], ["verify"], ["rows", "latest"], ["nonsense"],
        ["full", "database", "--storage", "s3"], ["full", "database", "--db", "oracle"],
    ])
    func `what cannot be meant is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { try DBTool.parseAsRoot(arguments) }
    }
}
