import BackupCore

/// What points to tables that were there before: it needs locks that others' work is in the way of.
extension PostgresTarget {
    /// An entry, and what makes it.
    typealias Pointer = (entry: PostgresArchive.Entry, script: PostgresScript)

    /// Makes foreign keys to such tables, or attachments to them, one after another.
    ///
    /// Not by pg_restore, which waits for any lock without a limit.
    ///
    /// - Returns: What could not be made, where that is to be expected.
    /// - Throws: `BackupError.locked` where somebody holds a lock for longer than `PostgresPatience.limit`.
    func makePointers(
        _ entries: Set<Int>, section: String, failuresAreExpected: Bool,
        seenBy watch: PostgresBuildWatch
    ) async throws -> [String] {
        guard !entries.isEmpty else { return [] }
        let scripts = try await pointers(entries, section)
        let connection = try await fresh()
        do {
            try await connection.execute(
                """
                SET application_name = \(SQLText.literal(watch.application));
                SET maintenance_work_mem = '256MB'
                """)
            return try await PostgresPatience.lasting(on: connection, settings) {
                patience -> [String] in
                var problems: [String] = []
                for (entry, script) in scripts {
                    watch.begin([entry.id], jobs: 1)
                    do {
                        try await patience.run("cannot make \(entry.words)") {
                            try await Self.inTransaction(on: connection) {
                                try await script.send(on: connection)
                            }
                        }
                    } catch let error as PostgresError {
                        let isOfServer =
                            error.isConnectionLoss || PostgresError.isCircumstantial(error.sqlState)
                        guard failuresAreExpected, !isOfServer else { throw failure(entry, error) }
                        problems.append("\(entry.words): \(error.message)")
                    }
                    watch.end()
                }
                return problems
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot create what refers to tables that were there")
        }
    }

    /// What makes each of them: pg_restore reads the archive once, however many there are.
    func pointers(_ entries: Set<Int>, _ section: String) async throws -> [Pointer] {
        let script = try await archive.script(
            entries, sections: [section], ["--verbose"], major: server.major
        ).limitingLockWaits(to: PostgresPatience.limit)
        let scripts = Dictionary(script.entries.map { ($0.id, $0.script) }) { first, _ in first }
        return try archive.archive.entries.filter { entries.contains($0.id) }.map { entry in
            guard let script = scripts[entry.id] else {
                throw BackupError(.damaged, "pg_restore does not make \(entry.words)")
            }
            return (entry, script)
        }
    }

    func failure(_ entry: PostgresArchive.Entry, _ error: PostgresError) -> BackupError {
        var failure = error.backupError(while: "cannot make \(entry.words)")
        failure.hint =
            "Mend the cause and run the same restore again: it goes on with what is missing."
        return failure
    }
}
