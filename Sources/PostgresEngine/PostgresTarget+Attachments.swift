import BackupCore

/// What is attached to tables that were there before, tried while its parts are empty.
///
/// In earnest it is attached when all rows are there, and by then those of the tables that were there have been changed.
extension PostgresTarget {
    /// Attaches parts that have no rows yet, and takes that back.
    ///
    /// - Throws: `BackupError.targetUnsuitable` that names what the server refuses; `BackupError.locked` as `makePointers` does.
    func tryAttachments() async throws {
        let untried = untriedAttachments
        guard !untried.isEmpty else { return }
        // Parts of one whole may be in each other's way; what others use is locked by the first of them already.
        let wholes = Dictionary(grouping: try await pointers(untried, "pre-data")) { pointer in
            Set(pointer.entry.dependencies).subtracting(archive.plan.chosen)
        }.values.sorted { $0[0].entry.id < $1[0].entry.id }
        let connection = try await fresh()
        do {
            // Whatever a killed run leaves at work under this name is ended by the next one.
            try await connection.execute(
                "SET application_name = \(SQLText.literal(PostgresArchiveRestore.sessionName))")
            try await PostgresPatience.lasting(on: connection, settings) { patience -> Void in
                for pointers in wholes { try await attach(pointers, on: connection, patience) }
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot try what is attached to tables that were there")
        }
    }

    /// Those whose parts nothing was loaded into: rows would be read, and indexes made for them.
    private var untriedAttachments: Set<Int> {
        // What goes to a whole that is new is in the way of nothing there, and may have rows to be read.
        let missing = archive.plan.lateAttachments.subtracting(archive.made).filter { id in
            archive.archive[id].flatMap(archive.archive.owner).map(archive.plan.chosen.contains)
                ?? false
        }
        let begun = request.storedTables.filter { stored in
            let table = stored.load.table
            return plan.tables[table]?.isLoaded ?? false
                || archive.plan.halfLoaded.contains(table)
        }
        guard !begun.isEmpty else { return missing }
        let filled = archive.archive.tables(Set(begun.map(\.object)))
        return missing.filter { id in
            let parts = archive.plan.chosen.intersection(archive.archive[id]?.dependencies ?? [])
            return archive.archive.withPartitions(parts).isDisjoint(with: filled)
        }
    }

    private func attach(
        _ pointers: [Pointer], on connection: PostgresConnection, _ patience: PostgresPatience
    ) async throws {
        do {
            try await attachTogether(pointers, on: connection, patience)
        } catch let error as PostgresError where error.sqlState == Self.lockTableFull {
            // As they are in earnest: each for itself.
            for pointer in pointers {
                try await attachTogether([pointer], on: connection, patience)
            }
        }
    }

    /// In a transaction that is rolled back.
    private func attachTogether(
        _ pointers: [Pointer], on connection: PostgresConnection, _ patience: PostgresPatience
    ) async throws {
        do {
            try await connection.execute("BEGIN")
            for (entry, script, attachment) in pointers {
                try await connection.execute("SAVEPOINT attachment")
                do {
                    try await patience.run("cannot make \(entry.words)") {
                        try await prepare(attachment, on: connection)
                        try await script.send(on: connection)
                    }
                } catch let error as PostgresError where isOfRowsThatGo(error) {
                    try await connection.execute("ROLLBACK TO SAVEPOINT attachment")
                } catch let error as PostgresError
                    where error.sqlState != Self.lockTableFull || pointers.count == 1
                {
                    throw refusal(of: entry, error)
                }
                try await connection.execute("RELEASE SAVEPOINT attachment")
            }
        } catch {
            await Self.rollBack(connection)
            throw error
        }
        await Self.rollBack(connection)
    }

    /// Whether nothing is in the way but rows of a default partition, and these are replaced.
    private func isOfRowsThatGo(_ error: PostgresError) -> Bool {
        guard error.sqlState == "23514", let table = error.table else { return false }
        return plan.tables.values.contains {
            $0.load.table == table && $0.treatment == .truncate && !$0.isLoaded
        }
    }

    private func refusal(
        of entry: PostgresArchive.Entry, _ error: PostgresError
    ) -> BackupError {
        // Of what was dropped for this restore that would not be true.
        let state = request.drops ? "" : "tables of \(request.database) are as they were: "
        var refusal = error.backupError(while: "\(state)cannot make \(entry.words)")
        guard refusal.code == .serverRefused, !refusal.isCircumstantial else {
            return failure(entry, error)
        }
        refusal.code = .targetUnsuitable
        let goingOn =
            mark == .none
            ? "drop the tables that this restore has made, and run it again."
            : """
            and run the same restore again: it goes on with what is missing. Or forget it, keeping what it made: \
            DROP SCHEMA \(PostgresRestoreMark.schema) CASCADE;
            """
        refusal.hint =
            "Mend the bounds of the partitions, or whatever else is in the way, \(goingOn)"
        return refusal
    }
}
