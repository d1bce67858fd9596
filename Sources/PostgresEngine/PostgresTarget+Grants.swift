import BackupCore

/// Privileges that pg_restore does not give as they were, or not in time.
extension PostgresTarget {
    /// Gives what waits for the rows, and of a superuser's before the rows what others than owners granted: nothing keeps him
    /// from adding these, and the owners of indexes may need some.
    ///
    /// One thing after another, and of each one grant after another: who passes on what was passed on to him twice may do
    /// so before he has all of it, in the order of an archive.
    ///
    /// - Returns: What could not be given, which ends the restore later where that is not to be expected.
    func givePrivileges(beforeRows: Bool) async throws -> [String] {
        let entries = try await privileges(beforeRows: beforeRows)
        // What takes rights from owners would be in the way of the run that makes the rest.
        guard !entries.isEmpty, !archive.refusals.endsRestore else { return [] }
        let scripts = try await archive.script(
            entries, sections: [], ["--verbose"], major: server.major
        ).entries
        let connection = try await fresh()
        let remarks = Exclusive<[String]>([])
        await connection.reportPrivileges { words in remarks.withValue { $0.append(words) } }
        var problems: [String] = []
        try await run("give privileges", on: connection) { connection in
            for (id, script) in scripts {
                guard let entry = archive.archive[id] else { continue }
                let refusals = try await give(script, of: entry, on: connection, remarks)
                // Columns have privileges of their own.
                problems += try note(refusals, of: entry)
                    .filter { words in !problems.contains(where: words.isExactly) }
            }
        }
        return problems
    }

    /// Takes away what a database before version 15 begins with.
    ///
    /// Whom things in it are given to needed that until now.
    func closePublicSchema() async throws {
        // What a database is used for already may need it.
        let isOwn = request.creates || presence.relations.isEmpty
        guard isOwn, request.isWhole, request.content != .rows, !request.omitsPrivileges,
            server.major < 15, archive.closesPublicSchema,
            server.isSuperuser || !presence.publicSchemaOwners.isEmpty
        else { return }
        try await run("give privileges", on: try await fresh()) { connection in
            let schema = try await connection.value(
                "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public'")
            guard schema != nil else { return }
            try await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        }
    }

    private func privileges(beforeRows: Bool) async throws -> Set<Int> {
        guard !archive.givesPrivilegesLate else { return beforeRows ? [] : archive.privileges }
        let early = archive.grantsOfOthers.intersection(archive.privileges)
        guard !early.isEmpty else { return beforeRows ? [] : archive.privileges }
        let late = archive.privileges(on: try await archive.viewsAfterRows())
            .union(archive.withdrawalsOnRoutines)
        return beforeRows
            ? early.subtracting(late) : archive.privileges.subtracting(early.subtracting(late))
    }

    /// All at once; where that comes not to everything, one by one.
    private func give(
        _ script: PostgresScript, of entry: PostgresArchive.Entry,
        on connection: PostgresConnection, _ remarks: Exclusive<[String]>
    ) async throws -> [(grant: PostgresGrant, refusal: PostgresGrant.Refusal)] {
        remarks.withValue { $0 = [] }
        do {
            try await connection.execute("BEGIN")
            try await script.send(on: connection)
            let isGiven = remarks.withValue { $0.isEmpty }
            try await connection.execute(isGiven ? "COMMIT" : "ROLLBACK")
            if isGiven { return [] }
        } catch let error as PostgresError where !error.isOfServer {
            await Self.rollBack(connection)
        }
        return try await giveEach(script, of: entry, on: connection, remarks)
    }

    /// Those that come to nothing are tried again as long as others come to something.
    private func giveEach(
        _ script: PostgresScript, of entry: PostgresArchive.Entry,
        on connection: PostgresConnection, _ remarks: Exclusive<[String]>
    ) async throws -> [(grant: PostgresGrant, refusal: PostgresGrant.Refusal)] {
        let (head, grants) = script.singleGrants
        var refused: [(grant: PostgresGrant, refusal: PostgresGrant.Refusal)] = []
        try await Self.inTransaction(on: connection) {
            try await head.send(on: connection)
            var waiting = grants
            while !waiting.isEmpty {
                var again: [(grant: PostgresGrant, refusal: PostgresGrant.Refusal)] = []
                for grant in waiting {
                    guard let refusal = try await refusal(of: grant, entry, connection, remarks)
                    else { continue }
                    // Later it would take what was granted since.
                    if grant.isRevocation {
                        refused.append((grant, refusal))
                    } else {
                        again.append((grant, refusal))
                    }
                }
                guard again.count < waiting.count else {
                    refused += again
                    break
                }
                waiting = again.map(\.grant)
            }
        }
        return refused
    }

    /// By the restoring role where the owner may not: who may not use a schema grants nothing in it.
    private func refusal(
        of grant: PostgresGrant, _ entry: PostgresArchive.Entry,
        _ connection: PostgresConnection, _ remarks: Exclusive<[String]>
    ) async throws -> PostgresGrant.Refusal? {
        try await connection.execute("SAVEPOINT privilege")
        remarks.withValue { $0 = [] }
        do {
            if let becoming = grant.becoming {
                try await connection.executeInterruptibly(becoming)
            }
            try await connection.executeInterruptibly(grant.statement)
            try await connection.execute("RESET ROLE; RELEASE SAVEPOINT privilege")
            return remarks.withValue { $0.first }.map(PostgresGrant.Refusal.remarked)
        } catch let error as PostgresError where !error.isOfServer {
            try await connection.execute("ROLLBACK TO SAVEPOINT privilege")
            guard error.isLackOfPrivilege, grant.becoming != nil, !isOfAnother(grant, entry) else {
                return .refused(error)
            }
            var own = grant
            own.becoming = nil
            return try await refusal(of: own, entry, connection, remarks)
        }
    }

    private func isOfAnother(_ grant: PostgresGrant, _ entry: PostgresArchive.Entry) -> Bool {
        guard let role = grant.role else { return false }
        return archive.grantors[entry.id]?.contains(where: role.isExactly) ?? false
    }

    private func note(
        _ refused: [(grant: PostgresGrant, refusal: PostgresGrant.Refusal)],
        of entry: PostgresArchive.Entry
    ) throws -> [String] {
        guard !refused.isEmpty else { return [] }
        let what = "cannot give privileges"
        let names = PostgresArchiveNames(archive.archive, request)
        var problems: [String] = []
        for (grant, refusal) in refused {
            let words: String
            if let role = grant.role, isOfAnother(grant, entry) {
                words = "\(names.words(ofGrantsOfOthers: entry)) (\(role)): \(refusal.message)"
            } else if case .refused(let error) = refusal {
                problems.append(
                    try noteRefusal(error, of: entry, to: what, isExpected: request.lacksTables))
                continue
            } else {
                request.notes("warning: left out: \(entry.words): \(refusal.message)")
                continue
            }
            guard !problems.contains(where: words.isExactly) else { continue }
            var isExpected = true
            if case .refused(let error) = refusal {
                isExpected = error.isLackOfPrivilege || request.lacksTables
            }
            archive.refusals.add([words], to: what, "", areExpected: isExpected)
            problems.append(words)
        }
        return problems
    }
}
