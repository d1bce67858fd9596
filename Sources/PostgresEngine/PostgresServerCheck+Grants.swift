import BackupCore

/// Grants of roles that the restoring one may not act for.
extension PostgresServerCheck {
    /// What `pg_has_role` calls the right to `SET ROLE`, as SQL for servers of every version.
    static let rightToAct = """
        CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000 \
        THEN 'SET' ELSE 'MEMBER' END
        """

    /// Leaves out of the privileges of a plan what others than the owner granted, where one of these is such a role.
    func leaveOutGrants(
        of archive: inout PostgresArchiveRestore, on connection: PostgresConnection, major: Int
    ) async throws {
        guard !request.omitsPrivileges else { return }
        let grantors = archive.grantors.filter { archive.plan.chosen.contains($0.key) }
        let roles = try await foreignRoles(
            grantors.values.flatMap(\.self), connection, major: major)
        guard !roles.isEmpty else { return }
        let foreign = Set(roles.map(ExactText.init))
        let names = PostgresArchiveNames(archive.archive, request)
        var leftOut: [String] = []
        for entry in archive.archive.entries {
            let missing = (grantors[entry.id] ?? []).filter { foreign.contains(ExactText($0)) }
            guard !missing.isEmpty else { continue }
            archive.withoutOthers.insert(entry.id)
            let line =
                "\(names.words(ofGrantsOfOthers: entry)): the restoring role may not act for "
                + missing.joined(separator: ", ")
            // Columns have privileges of their own.
            if !leftOut.contains(where: line.isExactly) { leftOut.append(line) }
        }
        archive.plan.target.leftOut += leftOut
    }
}
