import ArgumentParser

/// What `help` says at the console; the commands and their words are those of `--help`.
enum ConsoleHelp {
    static var text: String {
        var rows: [FieldList.Field] = [
            ("SQL STATEMENT", "Run SQL; what may write asks first."),
            ("help COMMAND", "All about a command."),
            ("exit", "Leave."),
        ]
        for command in (try? CommandTree(of: DBTool.self))?.command.children ?? []
        where command.commandName != BackupConsoleCommand.name {
            guard !command.children.isEmpty else {
                rows.append((command.commandName, command.abstract ?? ""))
                continue
            }
            for child in command.children {
                let name = "\(command.commandName) \(child.commandName)"
                rows.append((name, child.abstract ?? ""))
            }
        }
        return FieldList(rows).lines.map { "\($0)\n" }.joined()
    }

    static let sql = """
        SQL STATEMENT [-extract] [-path DIR] [-format table|csv|json|jsonl]

          A statement ends with its line, unless a quote, a comment or a parenthesis is open or the line
          ends in a backslash. SQL alone begins a block that ends with a semicolon.

          -extract       Write the rows to a new file instead of showing them.
          -path DIR      Where; else the current folder.
          -format NAME   How; else a table, and CSV for a file.

          What reads runs in a transaction that cannot write and is rolled back. Everything else asks
          first; without a terminal it is skipped, unless --allow-writes was given.

        """
}
