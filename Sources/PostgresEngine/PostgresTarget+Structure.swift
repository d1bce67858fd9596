import BackupCore

/// The structure before the rows, into a target.
extension PostgresTarget {
    func createStructure() async throws -> [String] {
        var problems = try await createWhatRowsNeed()
        if renaming == nil { problems += try await givePrivileges(beforeRows: true) }
        try archive.refusals.endRestore()
        try await tryAttachments()
        // By now there are the configurations of text search that settings name.
        for connection in connections.all { try await computing.give(to: connection) }
        return problems
    }

    private func createWhatRowsNeed() async throws -> [String] {
        guard !hasStructure else {
            guard request.lacksTables, renaming == nil else { return [] }
            // What the backup lacks the tables for is tried again: the interrupted restore has named it to nobody.
            return try await createOneByOne()
        }
        // A table with another name comes with all that belongs to it, or not at all.
        guard renaming != nil || !(hasBegun || request.lacksTables) else {
            return try await beginOneByOne()
        }
        do {
            // On a connection of its own: the script changes settings of its session.
            let connection = try await fresh()
            await connection.reportPrivileges { [notes = request.notes] words in
                notes("warning: left out: \(words)")
            }
            let script = renamed(try await archive.structure(major: server.major))
            try await Self.inTransaction(on: connection) {
                try await script.run(on: connection, to: "create the structure")
                try await standAlone(connection)
                try await defaultPrivileges.undo(for: archive.plan.chosen, on: connection)
                try await note(PostgresRestoreMark.structureIsMade, connection)
            }
            return []
        } catch let error as BackupError
            where error.message.contains("(SQLSTATE \(Self.lockTableFull))") && renaming == nil
        {
            // So many tables at once are too many locks: one by one then.
            return try await beginOneByOne()
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot create the structure")
        }
    }

    private func beginOneByOne() async throws -> [String] {
        if !hasBegun {
            try await run("create the structure", on: try await fresh()) { connection in
                try await note(PostgresRestoreMark.structureIsBegun, connection)
            }
        }
        return try await createOneByOne()
    }

    /// What an interrupted restore has made already stays, as the catalogs have it.
    private func createOneByOne() async throws -> [String] {
        var problems = try await archive.openSchemas()
        try archive.refusals.endRestore()
        let grants = try await archive.grantsOnClosedSchemas(major: server.major)
        if !grants.bytes.isEmpty {
            try await run("create the structure", on: try await fresh()) { connection in
                try await grants.run(on: connection, to: "create the structure")
            }
        }
        if hasBegun { try await giveToOwners() }
        problems += try await createEach()
        // Rows need all of it.
        try archive.refusals.endRestore()
        try await run("create the structure", on: try await fresh()) { connection in
            try await Self.inTransaction(on: connection) {
                try await defaultPrivileges.undo(for: archive.plan.chosen, on: connection)
                try await note(PostgresRestoreMark.structureIsMade, connection)
            }
        }
        return problems
    }

    /// By pg_restore, but for sequences that it would make in words which the server is too old for.
    private func createEach() async throws -> [String] {
        let sequences = try await sequencesInNewWords()
        guard !sequences.isEmpty else { return try await archive.createStructure() }
        let own = Set(sequences.map(\.id))
        let all = archive.archive.all
        let later = archive.archive.dependents(of: own, among: all)
        var (earlier, rest) = (archive, archive)
        earlier.made.formUnion(later)
        rest.made.formUnion(all.subtracting(later).union(own))
        let problems = try await earlier.createStructure()
        let connection = try await fresh()
        for sequence in sequences {
            try Task.checkCancellation()
            try await sequence.script.run(on: connection, to: "create the structure")
        }
        return try await problems + rest.createStructure()
    }

    /// Those that are not made yet, each as the server takes it.
    private func sequencesInNewWords() async throws -> [(id: Int, script: PostgresScript)] {
        let newer = PostgresScript.majorOfUnloggedSequences
        guard server.major < newer else { return [] }
        let missing = archive.archive.entries(
            ofKinds: ["SEQUENCE"], among: archive.beforeRows.subtracting(archive.made))
        let script = try await archive.script(
            missing, sections: ["pre-data"], ["--verbose"], major: newer)
        return script.entries.compactMap { entry -> (id: Int, script: PostgresScript)? in
            let older = entry.script.withoutLoggingOfSequences
            return older.bytes == entry.script.bytes ? nil : (id: entry.id, script: older)
        }
    }

    /// pg_restore makes a thing and then gives it to its owner, and may have ended between the two.
    ///
    /// Each for itself: so many at once would be too many locks. Where the owner has it already that changes nothing.
    private func giveToOwners() async throws {
        let changes = try await archive.ownerChanges(major: server.major)
        guard !changes.isEmpty else { return }
        let connection = try await fresh()
        for change in changes {
            try Task.checkCancellation()
            try await change.run(on: connection, to: "create the structure")
        }
    }

    /// The same of what an interrupted restore has made after the rows; what the server refuses of it is named.
    func giveWhatFollowsRowsToOwners() async throws -> [String] {
        guard plan.continues else { return [] }
        let changes = try await archive.ownerChangesAfterRows(major: server.major)
        guard !changes.isEmpty else { return [] }
        let connection = try await fresh()
        var problems: [String] = []
        try await run("give things to their owners", on: connection) { connection in
            for change in changes {
                try Task.checkCancellation()
                do {
                    try await change.send(on: connection)
                } catch let error as PostgresError where !error.isOfServer {
                    problems.append("owner of what was made before: \(error.message)")
                }
            }
        }
        return problems
    }

    /// Rows of a copy must not show up in what the original inherits from.
    ///
    /// Nor must a constraint refuse them there that has let them be in the original.
    private func standAlone(_ connection: PostgresConnection) async throws {
        guard let renamed = archive.plan.renamed else { return }
        let table = SQLText.qualified(renamed.to)
        let lenient = try await connection.rows(
            PostgresLenientConstraints.inheritedAsValid, [table])
        for parent in try await Self.parents(of: table, on: connection) {
            try await connection.execute(
                "ALTER TABLE \(table) NO INHERIT \(SQLText.qualified(parent))")
        }
        // What the original has as its own besides comes when all rows are there.
        let late = lateConstraints(of: [renamed.from])
        for row in lenient {
            let (name, definition) = (row[0] ?? "", row[1] ?? "")
            let constraint = "CONSTRAINT \(SQLText.identifier(name))"
            try await connection.execute("ALTER TABLE \(table) DROP \(constraint)")
            guard !late.contains(where: { $0.replaces(name, ofColumn: row[2]) }) else { continue }
            try await connection.execute("ALTER TABLE \(table) ADD \(constraint) \(definition)")
        }
    }

    /// What the server says when a transaction holds too many locks: `out_of_memory`.
    static let lockTableFull = "53200"

    private func note(_ statement: String, _ connection: PostgresConnection) async throws {
        guard mark == .written else { return }
        try await connection.execute(statement)
    }
}
