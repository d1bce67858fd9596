import BackupCore

/// Which way rows go: those of parts may belong to other parts on this server, as hashes differ, and the order of text.
extension PostgresTargetPlanner {
    /// Rows go through the whole of partitions only when it is restored with them, or through what is of its parts above them.
    func load(
        _ stored: StoredTable, _ table: Candidate, meant: Set<TableName>,
        _ keeps: Set<TableName>, _ plan: PostgresPlan
    ) -> TableLoad {
        var load = stored.load
        if let whole = load.loadsThrough {
            load.loadsThrough = meant.contains(whole) ? whole : top(above: table, among: meant)
        }
        if let whole = load.loadsThrough {
            let isKept = keeps.contains(table.name)
            let isPart = !isKept || isAttached(table.name, to: whole)
            if keeps.contains(whole) != isKept || !isPart { load.loadsThrough = nil }
        }
        if let renamed = plan.renamed {
            load.table = renamed.to
            load.loadsThrough = nil
        }
        return load
    }

    /// Whether what is there is a part still, and the whole one.
    private func isAttached(_ part: TableName, to whole: TableName) -> Bool {
        var above = presence.relations[part]?.parent
        while let table = above, table != whole { above = presence.relations[table]?.parent }
        return above == whole && presence.relations[whole]?.kind == "p"
    }

    /// The highest of the wholes above a part that are meant without a gap.
    private func top(above part: Candidate, among meant: Set<TableName>) -> TableName? {
        guard let entry = part.entry else { return nil }
        let top = top(of: entry) { archive[$0].map { meant.contains(names.table($0)) } ?? false }
        return top == entry ? nil : archive[top].map(names.table)
    }

    /// The highest of the wholes above a part, itself included.
    private func top(of part: Int, where isMeant: (Int) -> Bool) -> Int {
        var top = part
        while let whole = archive.wholesOfParts[top]?.first(where: isMeant) { top = whole }
        return top
    }

    /// Lets rows go through wholes that are made because all their parts are.
    func loadThroughWholesOfAll(_ selected: [Candidate], _ plan: inout PostgresPlan) {
        // A copy is no part of anything.
        guard plan.renamed == nil else { return }
        let wholes = Set(selected.compactMap { $0.stored?.load.loadsThrough })
        let made = Set(
            candidates.filter { table in
                guard wholes.contains(table.name), let entry = table.entry else { return false }
                return archive.withPartitions([entry]).isSubset(of: plan.chosen)
            }.map(\.name))
        for table in selected {
            guard let whole = table.stored?.load.loadsThrough, made.contains(whole) else {
                continue
            }
            plan.target.tables[table.name]?.load.loadsThrough = whole
        }
    }

    /// Those of some attachments that attach to tables, or their indexes, among some others.
    func attachments(among entries: Set<Int>, toTablesAmong made: Set<Int>) -> Set<Int> {
        let made = made.filter { archive[$0]?.isTable ?? false }
        return archive.entries(of: "TABLE ATTACH", among: entries)
            .union(archive.entries(of: "INDEX ATTACH", among: entries)).filter { id in
                guard let attachment = archive[id] else { return false }
                let wholes =
                    attachment.isA("TABLE ATTACH")
                    ? attachment.dependencies
                    : archive.indexOfWhole(attachment).flatMap { archive[$0]?.dependencies } ?? []
                return !made.isDisjoint(with: wholes)
            }
    }

    /// What attaches parts whose rows do not go through their whole, though they may belong to other parts of it here, and
    /// parts that are there to wholes that are not.
    func strayAttachments(of selected: [Candidate], _ plan: PostgresPlan) -> Set<Int> {
        let meant = Set(selected.compactMap(\.entry))
        let alone = selected.filter { table in
            guard let whole = table.stored?.load.loadsThrough,
                let planned = plan.target.tables[table.name]
            else { return false }
            return planned.load.loadsThrough != whole
        }
        let tops = Set(alone.compactMap(\.entry).map { top(of: $0, where: meant.contains) })
        return archive.entries(of: "TABLE ATTACH", among: plan.chosen).filter { id in
            guard let part = archive[id].flatMap(archive.owner) else { return false }
            return tops.contains(part) || !plan.chosen.contains(part)
        }
    }
}
