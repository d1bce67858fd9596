import BackupCore

/// Makes the structure of a backup with pg_restore: before the rows, after them, and last of all.
struct PostgresArchiveRestore: Sendable {
    /// Kinds that are made last: they would hide rows, or run while things are made.
    private static let lastKinds = ["POLICY", "ROW SECURITY", "EVENT TRIGGER"]

    private let dump: [UInt8]
    private let programs: PostgresPrograms
    private let environment: [String: String]
    private let request: TargetRequest
    private let contents: PostgresArchive
    private let chosen: Set<Int>
    private let last: Set<Int>

    init(
        _ dump: [UInt8], _ request: TargetRequest, programs: PostgresPrograms,
        environment: [String: String], isSuperuser: Bool
    ) async throws {
        self.dump = dump
        self.programs = programs
        self.environment = Self.environment(environment)
        self.request = request
        let list = try await TemporaryFile.with(dump) { archive in
            try await programs.render(["--list", "--verbose", archive])
        }
        contents = PostgresArchive(list: list)
        var chosen = request.tables.map(contents.entries(making:)) ?? contents.all
        if !isSuperuser {
            // An extension belongs to who made it; commenting on another's is refused.
            chosen.subtract(
                contents.entries.filter { $0.isA("COMMENT - EXTENSION") }.map(\.id))
        }
        self.chosen = chosen
        last = contents.entries(ofKinds: Self.lastKinds, among: chosen)
    }

    /// Everything that must be there before rows.
    ///
    /// - Throws: `BackupError.serverRefused` for the first thing that cannot be made.
    func createStructure() async throws {
        let result = try await restore(["--section=pre-data", "--exit-on-error"], chosen)
        guard result.succeeded else {
            throw failure("cannot create the structure", result.messages)
        }
    }

    /// Indexes, constraints, foreign keys and rules, side by side where they may be; then triggers.
    ///
    /// - Returns: The foreign keys that rows left out of the backup make impossible.
    func createIndexesAndConstraints() async throws -> [String] {
        let triggers = contents.entries(ofKinds: ["TRIGGER"], among: chosen).subtracting(last)
        let others = chosen.subtracting(last).subtracting(triggers)
        let impossible = try await createSideBySide(others)
        try await createInTurn(triggers)
        return impossible
    }

    /// One by one, and what fails again after the others as long as that helps.
    ///
    /// In the archive nothing says that the state of a partition's trigger comes after the trigger
    /// of a table two levels above, which makes it; pg_restore alone fails there.
    private func createInTurn(_ entries: Set<Int>) async throws {
        var waiting = entries
        while true {
            let result = try await restore(["--section=post-data", "--verbose"], waiting)
            guard !result.succeeded else { return }
            let failed = PostgresRestoreProblem.entries(in: result.messages)
                .intersection(waiting)
            guard !failed.isEmpty, failed.count < waiting.count else {
                throw failure(
                    "cannot create every trigger",
                    PostgresRestoreProblem.withoutProgress(result.messages))
            }
            waiting = failed
        }
    }

    private func createSideBySide(_ entries: Set<Int>) async throws -> [String] {
        let result = try await restore(
            ["--section=post-data", "--jobs=\(request.connections)"], entries)
        guard !result.succeeded else { return [] }
        let problems = PostgresRestoreProblem.all(in: result.messages)
        let isExpected = !request.tablesWithoutRows.isEmpty
        let impossible = problems.filter { isExpected && $0.isForeignKey }
        guard !problems.isEmpty, impossible.count == problems.count else {
            throw failure("cannot create every index and constraint", result.messages)
        }
        return impossible.map { "foreign key: \($0.words)" }
    }

    /// What would hide rows or react to what is made.
    func createWhatWouldBeInTheWay() async throws {
        guard !last.isEmpty else { return }
        let result = try await restore(["--section=post-data", "--exit-on-error"], last)
        guard result.succeeded else {
            throw failure("cannot create event triggers and policies", result.messages)
        }
    }

    private func restore(
        _ arguments: [String], _ entries: Set<Int>
    ) async throws -> (succeeded: Bool, messages: String) {
        guard !entries.isEmpty else { return (true, "") }
        let options =
            (request.omitsOwners ? ["--no-owner"] : [])
            + (request.omitsPrivileges ? ["--no-privileges"] : [])
        let database = environment["PGDATABASE"] ?? ""
        let escaped = database.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        return try await TemporaryFile.with(dump) { archive in
            try await TemporaryFile.with(Array(contents.list(of: entries).utf8)) { list in
                try await programs.restore(
                    arguments + options
                        + ["--use-list=\(list)", "--dbname=dbname='\(escaped)'", archive],
                    environment: environment)
            }
        }
    }

    private func failure(_ what: String, _ messages: String) -> BackupError {
        let problems = PostgresRestoreProblem.all(in: messages)
        let first = problems.first?.words
        let more = problems.count > 1 ? " (and \(problems.count - 1) more problems)" : ""
        return BackupError(
            .serverRefused,
            "\(what): \(first ?? messages.split(separator: "\n").first.map(String.init) ?? "")\(more)",
            hint: "The database is partly filled. Drop it, mend the cause and restore again.",
            underlying: String(messages.prefix(4000)))
    }

    /// More memory for building indexes, and no time limits.
    private static func environment(_ own: [String: String]) -> [String: String] {
        let options = [
            "maintenance_work_mem=256MB", "statement_timeout=0", "lock_timeout=0",
            "idle_in_transaction_session_timeout=0", "default_transaction_read_only=off",
        ].map { "-c \($0)" }.joined(separator: " ")
        return own.merging(["PGOPTIONS": "\(own["PGOPTIONS"] ?? "") \(options)"]) { $1 }
    }
}

/// One thing that pg_restore could not make.
struct PostgresRestoreProblem: Sendable {
    /// The server's words.
    let words: String
    /// The statement that it refused; empty when there was none.
    var statement = ""

    /// Whether it was to add a foreign key.
    var isForeignKey: Bool {
        statement.contains(/^ALTER TABLE [^;]*\bADD CONSTRAINT [^;]* FOREIGN KEY \(/)
    }

    /// The archive's numbers of what failed; named only with `--verbose`, and only with one job does
    /// each stand with its error.
    static func entries(in messages: String) -> Set<Int> {
        Set(
            messages.split(separator: "\n").compactMap { line in
                line.firstMatch(of: /^pg_restore: from TOC entry (\d+);/).flatMap { Int($0.1) }
            })
    }

    /// Without the lines that only say what is being done.
    static func withoutProgress(_ messages: String) -> String {
        messages.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains(/^pg_restore: (?!error|warning|from TOC entry)/) }
            .joined(separator: "\n")
    }

    /// Reads pg_restore's messages: the error, perhaps details, then the statement.
    ///
    /// With several jobs only what one message holds is certain to stand together.
    static func all(in messages: String) -> [PostgresRestoreProblem] {
        var problems: [PostgresRestoreProblem] = []
        var isInStatement = false
        for line in messages.split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.firstMatch(
                of: /^pg_restore: error: (?:could not execute query: )?(?:ERROR: +)?(.*)$/)
            {
                problems.append(PostgresRestoreProblem(words: String(match.1)))
                isInStatement = false
            } else if line.isEmpty || problems.isEmpty {
                isInStatement = false
            } else if let start = line.firstMatch(of: /^Command was: (.*)$/) {
                problems[problems.count - 1].statement = String(start.1)
                isInStatement = true
            } else if isInStatement {
                problems[problems.count - 1].statement += "\n\(line)"
            }
        }
        return problems
    }
}
