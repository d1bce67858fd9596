import BackupCore

/// What a crash of the server has taken of what an interrupted restore had loaded: rows of unlogged tables.
extension PostgresTargetPlanner {
    /// Which tables are emptied and loaded again.
    ///
    /// By now they may have triggers and foreign keys, which are kept from their rows like those of tables that were there
    /// before. Rows that went through a whole lie in whatever part they belong to here: all that go through one whole are
    /// loaded again together, those included that have yet to be loaded for the first time.
    ///
    /// - Throws: `BackupError.targetUnsuitable` where that would take rows that are in no backup.
    func decideLost(_ plan: inout PostgresPlan) throws {
        let loaded = plan.target.tables.filter { $0.value.isLoaded }
        let emptied = wholesOfUnlogged
        let wholes = Set(loaded.values.compactMap(\.load.loadsThrough)).intersection(emptied)
        let lost = plan.target.tables.filter { _, table in
            if let whole = table.load.loadsThrough { return wholes.contains(whole) }
            return table.isLoaded && presence.relations[table.load.table]?.isUnlogged ?? false
        }
        try requireOwnRows(lost.values.filter { $0.load.loadsThrough != nil })
        for name in lost.keys {
            plan.target.tables[name]?.treatment = .truncate
            plan.target.tables[name]?.isLoaded = false
        }
        plan.lost = lost.keys.sorted()
    }

    /// The wholes, at whatever height, of parts that a crash empties.
    private var wholesOfUnlogged: Set<TableName> {
        var wholes: Set<TableName> = []
        for relation in presence.relations.values where relation.isTable && relation.isUnlogged {
            var parent = relation.parent
            while let whole = parent, wholes.insert(whole).inserted {
                parent = presence.relations[whole]?.parent
            }
        }
        return wholes
    }

    /// What was added to has rows that no backup holds, and these cannot be told apart from those that were added.
    private func requireOwnRows(_ lost: [TargetPlan.TablePlan]) throws {
        guard request.existing == .append else { return }
        let mixed = Set(lost.filter { $0.treatment == .append }.map(\.load.place)).sorted()
        guard !mixed.isEmpty else { return }
        throw BackupError(
            .targetUnsuitable,
            "a crash of the server has emptied unlogged partitions of "
                + "\(Self.list(mixed.map { "table \($0)" })), whose other partitions hold rows of yours "
                + "among those that this restore has added",
            hint: """
                Forget that restore, keeping what it made, and mend these tables yourself: \
                DROP SCHEMA \(PostgresRestoreMark.schema) CASCADE;
                """)
    }
}
