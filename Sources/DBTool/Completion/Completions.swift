import ArgumentParser
import BackupCore
import Dispatch
import Foundation
import Terminal

extension CompletionKind {
    /// The backups of the repository that the line, or the settings, name.
    static let points = CompletionKind.dynamic { try await $0.points() }

    /// The tables of the backup that is the line's first word after the command.
    static let tablesOfPoint = CompletionKind.dynamic { try await $0.tablesOfPoint() }

    /// The tables of the live database.
    static let tablesOfSource = CompletionKind.dynamic { try await $0.tablesOfSource() }

    private static func dynamic(
        _ candidates: @escaping @Sendable (Completions) async throws -> [CompletionCandidate]
    ) -> CompletionKind {
        .custom { words, index, _ in
            do {
                let shell = CompletionShell.requesting
                let line = CompletionLine(
                    words, index: index, shell: shell, tree: try CommandTree(of: DBTool.self))
                return try await candidates(Completions(line)).compactMap { $0.line(for: shell) }
            } catch {
                // Whoever types wants to go on typing: no candidates, and not a word.
                return []
            }
        }
    }
}

/// What could stand at the cursor, from repository, backup or server.
struct Completions {
    /// How long a person waits for the shell to answer.
    private static let limit = 1.5

    private let line: CompletionLine
    private let wiring: Wiring

    init(_ line: CompletionLine) async throws {
        self.line = line
        wiring = try Wiring(try line.parsed(as: ConnectionOptions.self))
    }

    /// Whether a script of a shell asks, and not a person.
    static func areAsked(by arguments: [String]) -> Bool { arguments.first == "---completion" }

    /// Makes sure that the answer comes soon or not at all, and that nothing but the answer is said.
    static func beSilentAndQuick() {
        TerminalOutput.silenceErrors()
        // A connection that hangs cannot be asked to stop: it ends with the process.
        DispatchQueue.global().asyncAfter(deadline: .now() + limit) {
            _exit(ExitCode.done.rawValue)
        }
    }

    func points() async throws -> [CompletionCandidate] {
        let now = Timestamp.now
        let points = try await repository().contents().points
        let isThere = points.contains { $0.metadata.status == .completed }
        let latest = isThere ? [CompletionCandidate(text: "latest")] : []
        return latest
            + points.reversed().map { point in
                let size = ByteText(point.metadata.statistics.totalSizeBytes)
                return CompletionCandidate(
                    text: point.id.text,
                    description: "\(point.metadata.snapshotAt.age(at: now)) ago, \(size)")
            }
    }

    func tablesOfPoint() async throws -> [CompletionCandidate] {
        guard let name = line.positionals.first else { return [] }
        let metadata = try await repository().contents()
            .point(named: name, database: wiring.database, engine: wiring.namedProduct).metadata
        return candidates(
            of: metadata.currentTables.map(\.tableName), defaultSchema: metadata.defaultSchema)
    }

    func tablesOfSource() async throws -> [CompletionCandidate] {
        let engine = try wiring.engine()
        return candidates(
            of: try await engine.tableNames(), defaultSchema: engine.defaultSchema)
    }

    private func repository() throws -> Repository {
        try wiring.existingRepository(try line.parsed(as: RepositoryOptions.self))
    }

    private func candidates(
        of tables: [TableName], defaultSchema: String
    ) -> [CompletionCandidate] {
        tables.map {
            CompletionCandidate(
                $0, defaultSchema: defaultSchema, isQualified: line.current.contains("."))
        }
    }
}
