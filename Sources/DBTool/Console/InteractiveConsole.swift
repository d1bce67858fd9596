import BackupCore
import Foundation
import Terminal

/// The console on a terminal: a welcome, and lines that are edited.
struct InteractiveConsole {
    let console: Console
    let wiring: Wiring
    let repository: RepositoryOptions

    func run() async throws -> ExitCode {
        let session = console.sql.session
        let greeting = try await session.greeting()
        for line in try await welcome(greeting) { TerminalOutput.print(line: line) }
        let completion = ConsoleCompletion()
        guard
            let editor = LineEditor(
                name: "dbtool", historyPath: StateFolder.path("history"),
                complete: { completion.complete($0) })
        else {
            let lines = InputLines()
            return try await console.run { _ in try await lines.next() }
        }
        let prompt = "\(VisibleText.of(greeting.database))> "
        let typed = Exclusive<[String]>([])
        return try await console.run { isContinuation in
            let text =
                isContinuation ? String(repeating: ".", count: prompt.count - 1) + " " : prompt
            // What the last command made can be completed in this line or the next.
            if !isContinuation {
                Task { await learn(completion) }
                // Only the whole statement tells whether a password is in it.
                let lines = typed.withValue { lines in
                    defer { lines = [] }
                    return lines
                }
                if !SecretText.mayBe(in: lines.joined(separator: " ")) {
                    lines.forEach { editor.remember($0) }
                }
            }
            let line = await Self.line(from: editor, text)
            if let line, !line.text.isEmpty { typed.withValue { $0.append(line.text) } }
            return line
        }
    }

    /// What there is; once at a time, as a server may be slow.
    private func learn(_ completion: ConsoleCompletion) async {
        await completion.learning {
            if let contents = try? await wiring.existingRepository(repository).contents() {
                let points = contents.points.map(\.id.text)
                completion.learn { $0.points = points }
            }
            if let names = try? await console.sql.session.names() {
                completion.learn { $0.names = names }
            }
        }
    }

    /// A line; nil is the end, and where the console is told to end.
    private static func line(from editor: LineEditor, _ prompt: String) async -> InputLine? {
        let waiting = Exclusive<CheckedContinuation<InputLine?, Never>?>(nil)
        @Sendable func answer(_ line: InputLine?) {
            waiting.withValue { continuation in
                continuation?.resume(returning: line)
                continuation = nil
            }
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting.withValue { $0 = continuation }
                guard !Task.isCancelled else { return answer(nil) }
                Thread.detachNewThread {
                    switch editor.readLine(prompt: prompt) {
                    case .text(let line): answer(InputLine(line))
                    case .cancelled: answer(.givenUp)
                    case .end: answer(nil)
                    }
                }
            }
        } onCancel: {
            editor.returnTerminal()
            answer(nil)
        }
    }

    // MARK: The welcome

    private func welcome(_ greeting: SQLGreeting) async throws -> [String] {
        var fields: [FieldList.Field] = [
            ("server", "\(greeting.server), as \(greeting.user)"),
            ("database", "\(greeting.database), \(ByteText(greeting.bytes))"),
        ]
        if let path = wiring.repositoryPath(repository)?.value {
            fields.append(("repository", path))
            fields.append(("last backup", await lastBackup(of: greeting.database)))
        } else {
            fields.append(("repository", "none yet: name a folder with -path"))
        }
        if greeting.isSuperuser {
            fields.append(
                (
                    "note",
                    "\(greeting.user) is a superuser: what reads may still reach outside the database"
                ))
        }
        return ["dbtool \(Version.text)"] + FieldList(fields).lines
            + ["\"help\" lists the commands, \"SQL …\" asks the database, Ctrl-D leaves.", ""]
    }

    private func lastBackup(of database: String) async -> String {
        guard let contents = try? await wiring.existingRepository(repository).contents(),
            let last = contents.points.last(where: { $0.metadata.database.isExactly(database) })
        else { return "none" }
        return "\(last.id), \(last.metadata.snapshotAt.age(at: .now)) ago"
    }
}
