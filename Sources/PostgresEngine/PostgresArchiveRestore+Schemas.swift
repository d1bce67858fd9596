import BackupCore

/// Schemas in which others may make things.
extension PostgresArchiveRestore {
    /// Schemas, and what is said of them, where rights on some are given: nothing of this has to wait.
    ///
    /// Who is given a thing must be allowed to make things in its schema, and pg_restore gives rights when all else is made,
    /// in whatever order a list has them. A superuser gives things to anybody.
    func openedSchemas(among entries: Set<Int>) -> Set<Int> {
        let grants = aboutSchemas(["ACL"], among: entries)
        guard givesPrivilegesLate, !(grants.isEmpty && closing.isEmpty) else { return [] }
        return archive.entries(of: "SCHEMA", among: entries).union(grants).union(
            aboutSchemas(["COMMENT", "SECURITY LABEL"], among: entries))
    }

    /// Makes these alone, one by one.
    ///
    /// Gives what could not be made.
    func openSchemas() async throws -> [String] {
        try await make(
            "create the structure", nil, openedSchemas(among: beforeRows).subtracting(made),
            failuresAreExpected: request.lacksTables)
    }

    /// What is granted on schemas that are closed with the end: owners of what is made in these need it before.
    func grantsOnClosedSchemas(
        _ schemas: Set<Int>? = nil, major: Int
    ) async throws -> PostgresScript {
        try await script(schemas ?? closing, sections: [], major: major).grants
    }

    private func aboutSchemas(_ kinds: [String], among ids: Set<Int>) -> Set<Int> {
        let beginnings = kinds.map { "\($0) - SCHEMA " }
        let found = archive.entries.filter { entry in
            ids.contains(entry.id) && beginnings.contains { entry.words.startsExactly(with: $0) }
                // A schema of an extension comes with that.
                && (entry.dependencies.contains { archive[$0]?.isA("SCHEMA") ?? false }
                    || beginnings.contains { entry.words.startsExactly(with: "\($0)public ") })
        }
        return Set(found.map(\.id))
    }
}
