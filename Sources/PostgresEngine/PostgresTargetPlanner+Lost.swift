import BackupCore

/// What a crash of the server has taken of what an interrupted restore had loaded: rows of unlogged tables.
extension PostgresTargetPlanner {
    /// Which tables are loaded again, and emptied before where they may hold rows of the interrupted restore.
    ///
    /// What was added to a table that is loaded by itself is added again: the crash has emptied it, and whatever it holds now
    /// was written since.
    ///
    /// By now they may have triggers and foreign keys, which are kept from their rows like those of tables that were there
    /// before. Rows that went through a whole lie in whatever part they belong to here: all that go through one whole are
    /// loaded again together, those included that have yet to be loaded for the first time. A whole here may have been a plain
    /// table in the backup.
    ///
    /// - Throws: `BackupError.targetUnsuitable` where that would take rows that are in no backup.
    func decideLost(_ plan: inout PostgresPlan) throws {
        let loaded = plan.target.tables.filter { $0.value.isLoaded }
        let emptied = wholesOfUnlogged
        let wholes = Set(loaded.values.map(\.load.place)).intersection(emptied)
        let lost = plan.target.tables.filter { _, table in
            if wholes.contains(table.load.place) { return true }
            // What a partitioned table says of itself is about nothing: its rows lie in its parts.
            guard let place = presence.relations[table.load.place], place.kind == "r" else {
                return false
            }
            return table.isLoaded && place.isUnlogged
        }
        try requireOwnRows(lost.values.filter { wholes.contains($0.load.place) })
        try requireNoOtherParts(of: wholes, than: Set(lost.values.map(\.load.table)))
        for (name, table) in lost {
            let isAdded = table.treatment == .append && !wholes.contains(table.load.place)
            if !isAdded { plan.target.tables[name]?.treatment = .truncate }
            plan.target.tables[name]?.isLoaded = false
        }
        plan.lost = lost.keys.sorted()
    }

    /// The tables that rows are added to once more: nothing may be left of those that the interrupted restore had added.
    ///
    /// The mark goes on saying which transaction had loaded them, also where going on with it was interrupted in turn.
    func decideAddedAgain(_ mark: PostgresRestoreMark.Contents, _ plan: inout PostgresPlan) {
        let added = plan.target.tables.filter { name, table in
            table.treatment == .append && !table.isLoaded && mark.tables[name]?.transaction != nil
        }
        plan.addedAgain = Set(added.values.map(\.load.place)).sorted()
    }

    /// The tables that are emptied only because a crash has taken rows of the interrupted restore: what others have written
    /// into them since must not go with that.
    ///
    /// Nobody has asked for it, unless it is what becomes of tables that were there before.
    func decideRefilled(made: Set<TableName>, _ plan: inout PostgresPlan) {
        let emptied = plan.target.tables.filter { name, table in
            table.treatment == .truncate && !table.isLoaded
                && (request.existing != .truncate || made.contains(name))
        }
        plan.refilled = Set(emptied.keys)
    }

    /// The wholes, at whatever height, of parts that a crash empties.
    private var wholesOfUnlogged: Set<TableName> {
        var wholes: Set<TableName> = []
        for relation in presence.relations.values where relation.kind == "r" && relation.isUnlogged
        {
            wholes.formUnion(self.wholes(above: relation))
        }
        return wholes
    }

    /// The nearest first.
    private func wholes(above relation: PostgresPresence.Relation) -> [TableName] {
        var wholes: [TableName] = []
        var parent = relation.parent
        while let whole = parent, !wholes.contains(whole) {
            wholes.append(whole)
            parent = presence.relations[whole]?.parent
        }
        return wholes
    }

    /// Whatever goes through a whole may have come to lie in any of its parts, also in one that the backup does not hold:
    /// there it would stay, and come a second time.
    private func requireNoOtherParts(
        of wholes: Set<TableName>, than lost: Set<TableName>
    ) throws {
        let others = presence.relations.filter { name, relation in
            (relation.kind == "r" || relation.kind == "f") && !lost.contains(name)
                && !wholes.isDisjoint(with: self.wholes(above: relation))
        }.keys.sorted()
        guard !others.isEmpty else { return }
        throw BackupError(
            .targetUnsuitable,
            "a crash of the server has emptied unlogged partitions of "
                + "\(Self.list(wholes.sorted().map { "table \($0)" })), and rows that this restore has added may lie in "
                + "\(Self.list(others.map { "partition \($0)" })), which what is restored does not hold",
            hint: Self.mending)
    }

    /// What was added to has rows that no backup holds, and these cannot be told apart from those that were added.
    ///
    /// A whole that was a plain table in the backup is not emptied part by part: its parts are none of the backup's.
    private func requireOwnRows(_ lost: [TargetPlan.TablePlan]) throws {
        let mixed = Set(
            lost.filter { table in
                table.load.loadsThrough == nil
                    || request.existing == .append && table.treatment == .append
            }.map(\.load.place)
        ).sorted()
        guard !mixed.isEmpty else { return }
        throw BackupError(
            .targetUnsuitable,
            "a crash of the server has emptied unlogged partitions of "
                + "\(Self.list(mixed.map { "table \($0)" })), whose other partitions hold rows of yours "
                + "among those that this restore has added",
            hint: Self.mending)
    }

    static let mending = """
        Forget that restore, keeping what it made, and mend these tables yourself: \
        DROP SCHEMA \(PostgresRestoreMark.schema) CASCADE;
        """
}
