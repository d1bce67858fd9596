import BackupCore

/// What others than the owner of a thing have granted on it.
extension PostgresTarget {
    /// Gives the privileges among which there are such grants, one thing after another.
    ///
    /// A superuser does so before the rows, whom nothing keeps from adding these, as the owners of indexes may need some;
    /// others do when all else is made.
    ///
    /// - Returns: What could not be given, which ends the restore later where that is not to be expected.
    func giveGrantsOfOthers(beforeRows: Bool) async throws -> [String] {
        var entries = archive.grantsOfOthers.intersection(archive.privileges)
        if !archive.givesPrivilegesLate, !entries.isEmpty {
            let late = archive.privileges(on: try await archive.viewsAfterRows())
                .union(archive.withdrawalsOnRoutines)
            entries = beforeRows ? entries.subtracting(late) : entries.intersection(late)
        } else if beforeRows {
            return []
        }
        // What takes rights from owners would be in the way of the run that makes the rest.
        guard !entries.isEmpty, !archive.refusals.endsRestore else { return [] }
        let scripts = try await archive.script(entries, sections: [], major: server.major).entries
        let connection = try await fresh()
        var problems: [String] = []
        for (id, script) in scripts {
            guard let entry = archive.archive[id] else { continue }
            do {
                try await give(script, of: id, as: archive, on: connection)
            } catch let error as PostgresError {
                // Columns have privileges of their own.
                problems += try await giveTheRest(of: entry, after: error, on: connection)
                    .filter { words in !problems.contains(where: words.isExactly) }
            }
        }
        return problems
    }

    /// By the restoring role where the owner may not: who may not use a schema grants nothing in it.
    private func give(
        _ script: PostgresScript, of entry: Int, as archive: PostgresArchiveRestore,
        on connection: PostgresConnection
    ) async throws {
        do {
            try await Self.inTransaction(on: connection) {
                try await script.send(on: connection)
            }
        } catch let error as PostgresError where error.isLackOfPrivilege && archive.actsForOwners {
            var archive = archive
            archive.actsForOwners = false
            let script = try await archive.script([entry], sections: [], major: server.major)
            try await Self.inTransaction(on: connection) {
                try await script.send(on: connection)
            }
        }
    }

    /// What the owner granted, where one of the others may not grant anything any more.
    private func giveTheRest(
        of entry: PostgresArchive.Entry, after error: PostgresError,
        on connection: PostgresConnection
    ) async throws -> [String] {
        let what = "cannot give privileges"
        guard error.isLackOfPrivilege, let grantors = archive.grantors[entry.id] else {
            return [
                try noteRefusal(error, of: entry, to: what, isExpected: request.lacksTables)
            ]
        }
        let names = PostgresArchiveNames(archive.archive, request)
        let refusal = try noteRefusal(
            error, of: entry,
            called: "\(names.words(ofGrantsOfOthers: entry)) (\(grantors.joined(separator: ", ")))",
            to: what, isExpected: true)
        var archive = archive
        archive.withoutOthers.insert(entry.id)
        let script = try await archive.script([entry.id], sections: [], major: server.major)
        do {
            try await give(script, of: entry.id, as: archive, on: connection)
            return [refusal]
        } catch let error as PostgresError {
            return [
                refusal,
                try noteRefusal(error, of: entry, to: what, isExpected: request.lacksTables),
            ]
        }
    }
}
