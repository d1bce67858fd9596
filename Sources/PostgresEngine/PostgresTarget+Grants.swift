import BackupCore

/// What others than the owner of a thing have granted on it, by a role that is no superuser.
extension PostgresTarget {
    /// Gives the privileges among which there are such grants, one thing after another.
    ///
    /// - Returns: What could not be given, which ends the restore later where that is not to be expected.
    func giveGrantsOfOthers() async throws -> [String] {
        let entries = archive.grantsOfOthers.intersection(archive.privileges)
        // What takes rights from owners would be in the way of the run that makes the rest.
        guard !entries.isEmpty, !archive.refusals.endsRestore else { return [] }
        let scripts = try await archive.script(entries, sections: [], major: server.major).entries
        let connection = try await fresh()
        var problems: [String] = []
        for (id, script) in scripts {
            guard let entry = archive.archive[id] else { continue }
            do {
                try await give(script, of: id, on: connection)
            } catch let error as PostgresError {
                problems.append(
                    try noteRefusal(
                        error, of: entry, to: "cannot give privileges",
                        isExpected: request.lacksTables))
            }
        }
        return problems
    }

    /// By the restoring role where the owner may not: who may not use a schema grants nothing in it.
    private func give(
        _ script: PostgresScript, of entry: Int, on connection: PostgresConnection
    ) async throws {
        do {
            try await Self.inTransaction(on: connection) {
                try await script.send(on: connection)
            }
        } catch let error as PostgresError where error.sqlState == "42501" {
            var archive = archive
            archive.actsForOwners = false
            let script = try await archive.script([entry], sections: [], major: server.major)
            try await Self.inTransaction(on: connection) {
                try await script.send(on: connection)
            }
        }
    }
}
