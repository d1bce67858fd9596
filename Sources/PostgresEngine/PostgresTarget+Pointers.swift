import BackupCore

/// What points to tables that were there before: it needs locks that others' work is in the way of.
extension PostgresTarget {
    /// An entry, what makes it, and what it attaches to what, where it does.
    typealias Pointer = (
        entry: PostgresArchive.Entry, script: PostgresScript, attachment: Attachment?
    )

    /// A part, and its whole.
    struct Attachment {
        let part: TableName
        let whole: TableName
    }

    /// Makes foreign keys to such tables, or attachments to them, one after another.
    ///
    /// Not by pg_restore, which waits for any lock without a limit.
    ///
    /// - Returns: What could not be made, which ends the restore later where that is not to be expected.
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
                for (entry, script, attachment) in scripts {
                    watch.begin([entry.id], jobs: 1)
                    do {
                        try await patience.run("cannot make \(entry.words)") {
                            try await Self.inTransaction(on: connection) {
                                try await prepare(attachment, on: connection)
                                try await script.send(on: connection)
                            }
                        }
                    } catch let error as PostgresError {
                        problems.append(
                            try noteRefusal(
                                error, of: entry,
                                to: "cannot create what refers to tables that were there",
                                isExpected: failuresAreExpected))
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
        let names = PostgresArchiveNames(archive.archive, request)
        return try archive.archive.entries.filter { entries.contains($0.id) }.map { entry in
            guard let script = scripts[entry.id] else {
                throw BackupError(.damaged, "pg_restore does not make \(entry.words)")
            }
            return (entry, script, attachment(entry, names))
        }
    }

    private func attachment(
        _ entry: PostgresArchive.Entry, _ names: PostgresArchiveNames
    ) -> Attachment? {
        guard entry.isA("TABLE ATTACH"),
            let part = archive.archive.owner(of: entry).flatMap({ archive.archive[$0] }),
            let whole = entry.dependencies.filter({ $0 != part.id })
                .compactMap({ archive.archive[$0] }).first(where: \.isTable)
        else { return nil }
        return Attachment(part: names.table(part), whole: names.table(whole))
    }

    /// Gives a part the constraints that have let rows of its whole be, or are not enforced.
    ///
    /// The server attaches no part that lacks them, and archives have them on the whole alone, behind its attachments.
    func prepare(
        _ attachment: Attachment?, on connection: PostgresConnection
    ) async throws {
        guard let attachment else { return }
        let table = SQLText.qualified(attachment.part)
        let lacking = try await connection.rows(
            Self.constraintsLacked, [SQLText.qualified(attachment.whole), table])
        guard !lacking.isEmpty else { return }
        try await connection.execute("SET LOCAL lock_timeout = '\(PostgresPatience.limit)'")
        for row in lacking {
            try await connection.executeInterruptibly(
                """
                ALTER TABLE \(table)
                ADD CONSTRAINT \(SQLText.identifier(row[0] ?? "")) \(row[1] ?? "")
                """)
        }
    }

    /// Those of a whole that a part has none for.
    ///
    /// None of tables whose names an archive does not list as they are.
    private static let constraintsLacked = """
        WITH constraints AS (
          \(PostgresLenientConstraints.named)
            AND c.conrelid IN (pg_catalog.to_regclass($1), pg_catalog.to_regclass($2)))
        SELECT w.conname, pg_catalog.pg_get_constraintdef(w.oid) FROM constraints w
        WHERE w.conrelid = pg_catalog.to_regclass($1) AND NOT w.convalidated AND NOT w.connoinherit
          AND NOT EXISTS (
            SELECT 1 FROM constraints p
            WHERE p.conrelid = pg_catalog.to_regclass($2) AND p.contype = w.contype AND p.name = w.name)
        ORDER BY w.conname
        """

    /// Adds what the server has refused to the refusals; its words.
    ///
    /// - Throws: The same where it tells how the server is doing, and nothing of what it was asked for.
    func noteRefusal(
        _ error: PostgresError, of entry: PostgresArchive.Entry, to what: String, isExpected: Bool
    ) throws -> String {
        let refusal = failure(entry, error)
        guard !error.isOfServer else { throw refusal }
        let words = "\(entry.words): \(error.message)"
        archive.refusals.add(
            [words], to: what, refusal.underlying ?? "", areExpected: isExpected)
        return words
    }

    func failure(_ entry: PostgresArchive.Entry, _ error: PostgresError) -> BackupError {
        var failure = error.backupError(while: "cannot make \(entry.words)")
        failure.hint = PostgresRefusals.hint
        return failure
    }
}
