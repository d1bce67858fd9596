/// Scripts of single statements out of what pg_restore renders.
extension PostgresArchiveRestore {
    /// What gives to its owners what an interrupted restore has made of the structure, one statement a script.
    func ownerChanges(major: Int) async throws -> [PostgresScript] {
        try await script(beforeRows.intersection(made), sections: ["pre-data"], major: major)
            .ownerChanges
    }

    /// The same of what follows rows: statistics, publications.
    func ownerChangesAfterRows(major: Int) async throws -> [PostgresScript] {
        try await script(plan.chosen.intersection(made), sections: ["post-data"], major: major)
            .ownerChanges
    }

    /// What drops the entries that are dropped, in an order in which that is possible.
    func drops(major: Int) async throws -> PostgresScript {
        try await script(
            plan.drops, sections: ["pre-data", "post-data"], ["--clean", "--if-exists"],
            major: major
        ).drops
    }
}
