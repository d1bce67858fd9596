import BackupCore

/// What points to tables that were there before: it needs locks that others' work is in the way of.
extension PostgresTarget {
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
        let connection = try await fresh()
        var problems: [String] = []
        do {
            try await connection.execute(
                """
                SET application_name = \(SQLText.literal(watch.application));
                SET maintenance_work_mem = '256MB'
                """)
            for entry in archive.archive.entries where entries.contains(entry.id) {
                watch.begin([entry.id], jobs: 1)
                do {
                    try await make(entry, section, on: connection)
                } catch let error as PostgresError {
                    let isOfServer =
                        error.isConnectionLoss || PostgresError.isCircumstantial(error.sqlState)
                    guard failuresAreExpected, !isOfServer else { throw failure(entry, error) }
                    problems.append("\(entry.words): \(error.message)")
                }
                watch.end()
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot create what refers to tables that were there")
        }
        return problems
    }

    private func failure(_ entry: PostgresArchive.Entry, _ error: PostgresError) -> BackupError {
        var failure = error.backupError(while: "cannot make \(entry.words)")
        failure.hint =
            "Mend the cause and run the same restore again: it goes on with what is missing."
        return failure
    }

    private func make(
        _ entry: PostgresArchive.Entry, _ section: String, on connection: PostgresConnection
    ) async throws {
        let script = try await archive.script([entry.id], sections: [section], major: server.major)
            .limitingLockWaits(to: PostgresPatience.limit)
        try await PostgresPatience.run("cannot make \(entry.words)", on: connection, settings) {
            try await Self.inTransaction(on: connection) { try await script.send(on: connection) }
        }
    }
}
