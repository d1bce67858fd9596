import BackupCore

/// What of the archive is made, dropped, kept and left out beside the rows.
extension PostgresTargetPlanner {
    /// Those that are made, and those that the tables' rows were numbered by.
    ///
    /// - Throws: `BackupError.targetUnsuitable` for those that are neither there nor made: they could not be set when
    ///   all rows are loaded.
    func decideSequences(_ selected: [Candidate], _ plan: inout PostgresPlan) throws {
        let wanted = wanted(selected, plan)
        var missing: [TableName] = []
        let (emptied, wholes) = emptied(by: plan)
        let within = byWhatTheyAreWithin(wholes)
        for entry in archive.entries where entry.isRelation && entry.isA("SEQUENCE") {
            let name = names.table(entry)
            if plan.chosen.contains(entry.id) {
                plan.sequences[name] = plan.target.continues ? .unlessUsed : .exactly
            } else if wanted.contains(entry.id), plan.renamed == nil {
                if presence.relation(listedAs: name)?.kind != "S" { missing.append(name) }
                let owner = presence.owner(ofSequence: name)
                let numbered = Set(presence.users(ofSequence: name) + [owner].compactMap(\.self))
                let isEmptied = owner != nil && numbered.isSubset(of: emptied)
                plan.sequences[name] = isEmptied ? .withRows : .forward
                guard isEmptied else { continue }
                plan.numberedWholes[name] = Set(numbered.flatMap { within[$0] ?? [] })
            }
        }
        guard request.content != .structure, !missing.isEmpty else { return }
        throw BackupError(
            .targetUnsuitable,
            "\(request.database) has no \(Self.list(missing.map { "sequence \($0)" })), "
                + "which the rows were numbered by",
            hint: "Where a table is numbered by one of another name, rename that: "
                + "ALTER SEQUENCE … RENAME TO …. Else create what is missing:\n"
                + missing.map { "  CREATE SEQUENCE \(SQLText.qualified($0));" }
                .joined(separator: "\n"))
    }

    /// The tables whose rows go, with the wholes that have no others, and these wholes alone.
    private func emptied(
        by plan: PostgresPlan
    ) -> (all: Set<TableName>, wholes: Set<TableName>) {
        let tables = Set(
            plan.target.tables.filter { $0.value.treatment == .truncate && !$0.value.isLoaded }
                .map(\.key))
        var parts: [TableName: [TableName]] = [:]
        // Those on other servers keep their rows.
        for (name, relation) in presence.relations where relation.isTable || relation.kind == "f" {
            if let whole = relation.parent { parts[whole, default: []].append(name) }
        }
        func isEmptied(_ table: TableName) -> Bool {
            tables.contains(table) || parts[table]?.allSatisfy(isEmptied) ?? false
        }
        let wholes = Set(parts.keys.filter(isEmptied))
        return (tables.union(wholes), wholes)
    }

    /// Some wholes by each table that they are, or that they are parts of at any depth: there may be thousands of them, and
    /// as many sequences.
    private func byWhatTheyAreWithin(_ wholes: Set<TableName>) -> [TableName: Set<TableName>] {
        var within: [TableName: Set<TableName>] = [:]
        for whole in wholes {
            var next: TableName? = whole
            while let table = next {
                within[table, default: []].insert(whole)
                next = presence.relations[table]?.parent
            }
        }
        return within
    }

    // MARK: Structure

    private func wanted(_ selected: [Candidate], _ plan: PostgresPlan) -> Set<Int> {
        guard !request.isWhole else { return archive.all }
        let objects = objects(selected)
        guard let renamed = plan.renamed else {
            return archive.entries(making: objects, present: present.union(attached))
        }
        return archive.detaching(renamed.entry).entries(
            making: objects, present: present.union(attached), omitting: Self.kindsNotCopied)
    }

    /// A copy beside the original must not fire its triggers, nor hold on to other tables' rows.
    ///
    /// Policies name the table without its schema wherever they ask others. Row security stays enabled: whoever may read
    /// the copy sees none of its rows, but for its owner.
    private static let kindsNotCopied = [
        "TRIGGER", "RULE", "FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH", "PUBLICATION TABLE",
        "POLICY",
    ]

    /// Attachments of parts to wholes that are both there.
    private var attached: Set<Int> {
        Set(
            archive.entries.filter { entry in
                (entry.isA("INDEX ATTACH") || entry.isA("TABLE ATTACH"))
                    && entry.dependencies.allSatisfy(present.contains)
            }.map(\.id))
    }

    private func objects(_ selected: [Candidate]) -> Set<String> {
        Set(selected.compactMap(\.entry).compactMap { archive[$0]?.object })
    }

    func decideStructure(_ selected: [Candidate], _ plan: inout PostgresPlan) throws {
        guard request.content != .rows else { return }
        // What creates the database itself is no part of it.
        // Nor is what ties a database that is soon dropped again to another server.
        let kinds =
            ["DATABASE", "DATABASE PROPERTIES"] + (request.isScratch ? ["SUBSCRIPTION"] : [])
        let meant = self.wanted(selected, plan).subtracting(
            archive.entries(ofKinds: kinds, among: archive.all))
        let wanted = meant.subtracting(withDecorations(unmade(of: meant)))
        if request.isWhole { try decideWhole(wanted, &plan) }
        // A table under another name is not the one that is there, nor is what belongs to it.
        let own = plan.renamed.map { archive.withSequences(archive.belongings(of: [$0.entry])) }
        let kept = wanted.intersection(present).subtracting(gone(with: plan.drops))
            .subtracting(own ?? []).subtracting(publicSchema.filter(mayChangeSchema))
        let keptTables = kept.filter { archive[$0]?.isTable ?? false }
        let keepsCopy = plan.renamed.map { presence.relations[$0.to] != nil && !plan.dropsCopy }
        var ofKept = archive.belongings(of: keptTables)
        // A publication that is made anew publishes the tables that are there, too.
        let publications = archive.entries(of: "PUBLICATION", among: wanted.subtracting(kept))
        ofKept.subtract(
            archive.entries(of: "PUBLICATION TABLE", among: ofKept).filter { id in
                archive[id].map { !publications.isDisjoint(with: $0.dependencies) } ?? false
            })
        ofKept.subtract(attachments(among: ofKept, toTablesAmong: wanted.subtracting(kept)))
        let untouched = kept.union(ofKept)
            .union(keepsCopy == true ? own ?? [] : [])
        // Others may own things in the schema only where they may make some.
        let ofSchema = mayGrantOnSchema ? kept.intersection(publicSchema) : []
        plan.chosen = wanted.subtracting(untouched).subtracting(
            archive.decorations(of: untouched).subtracting(archive.decorations(of: ofSchema)))
        if plan.renamed != nil {
            plan.chosen.subtract(archive.entries(ofKinds: Self.kindsNotCopied, among: plan.chosen))
        }
        let lost = lostAttachments(plan)
        plan.chosen.subtract(lost.map { $0.attachment.id })
        let unowned = aboutPublicSchemaOfOthers.intersection(plan.chosen)
        plan.chosen.subtract(unowned)
        let unfounded = commentsWithoutConstraints(selected, plan)
        plan.chosen.subtract(unfounded)
        // What belongs to a table under another name gets free names.
        try requireFreeNames(for: plan.chosen.subtracting(own ?? []), plan)
        loadThroughWholesOfAll(selected, &plan)
        decidePointers(selected, &plan)
        let containers = archive.entries(ofKinds: Self.containers, among: kept)
        plan.target.keeps = describe(
            kept.subtracting(ofKept).subtracting(containers))
        let there = plan.chosen.union(untouched)
        plan.target.leftOut =
            archive.leftOut(making: objects(selected), chosen: there).map {
                leftOut($0, there: there.union(present))
            }
        let settings = PostgresDatabaseStatements.settings(request)
        if request.isWhole, !request.creates, !settings.isEmpty {
            plan.target.leftOut.append(
                "settings of the database, which are its own: ALTER DATABASE … SET")
        }
        plan.target.leftOut +=
            lost.map { leftOut($0.attachment, to: $0.to) } + lostPublications(plan)
        plan.target.leftOut += brought(with: selected, plan) + forSuperusers(among: meant)
        plan.target.leftOut += describe(unfounded).map {
            "comment \($0.name): no other table gives it that constraint"
        }
        plan.target.leftOut += describe(kept.intersection(publicSchema)).map {
            mayGrantOnSchema
                ? "schema \($0.name) keeps its owner: the restoring role may not give it to that of the backup"
                : Self.schemaStaysAsItIs
        }
        if !unowned.isEmpty { plan.target.leftOut.append(Self.schemaStaysAsItIs) }
    }

    /// What an interrupted restore has left out, as far as its mark does not say so: it has named that to nobody.
    func leftOutBefore(_ selected: [Candidate], _ plan: PostgresPlan) -> [String] {
        guard request.content != .rows else { return [] }
        // A table under another name is not the one that is there.
        let kept = plan.renamed == nil ? present.subtracting(plan.chosen) : []
        let keptTables = kept.filter { archive[$0]?.isTable ?? false }
        let there = plan.chosen.union(kept).union(archive.belongings(of: keptTables))
        return archive.leftOut(making: objects(selected), chosen: there).map {
            leftOut($0, there: there.union(present))
        } + brought(with: selected, plan)
    }

    /// Tables that others are made from, or that their policies ask: nothing but their columns comes along.
    ///
    /// Wholes come with the indexes and keys that those of their parts are attached to.
    private func brought(with selected: [Candidate], _ plan: PostgresPlan) -> [String] {
        let own = archive.tables(objects(selected))
        let wholes = archive.wholes(above: own)
        return archive.entries.filter { entry in
            entry.isTable && plan.chosen.contains(entry.id) && !own.contains(entry.id)
        }.map { entry in
            wholes.contains(entry.id)
                ? "all but columns, indexes, primary and unique keys of \(names.table(entry)), "
                    + "which is made only because its partitions need it"
                : "rows, indexes and keys of \(names.table(entry)), which is made only because others need it"
        }
    }

    /// What is made late, or may fail, because a table that it points to was there before, or has other parts for the rows.
    func decidePointers(_ selected: [Candidate], _ plan: inout PostgresPlan) {
        let others = Set(
            archive.entries.filter { $0.isTable && !plan.chosen.contains($0.id) }.map(\.id))
        func pointers(_ kind: String) -> Set<Int> {
            archive.entries(of: kind, among: plan.chosen).filter { id in
                archive[id].map { !others.isDisjoint(with: $0.dependencies) } ?? false
            }
        }
        plan.lateAttachments = pointers("TABLE ATTACH")
        plan.strayAttachments = strayAttachments(of: selected, plan)
        plan.doubtful = pointers("FK CONSTRAINT")
        guard plan.renamed == nil else { return }
        let heirs = archive.entries.filter { entry in
            entry.isTable && plan.chosen.contains(entry.id)
                && !others.isDisjoint(with: entry.dependencies)
        }
        plan.heirs = Set(heirs.map(names.table))
    }

    /// What an interrupted restore has made.
    var made: Set<Int> {
        let attached = archive.entries(of: "TABLE ATTACH", among: archive.all).filter { id in
            archive[id].map { presence.relation(listedAs: names.table($0))?.parent != nil } ?? false
        }
        // Every view has such a rule; where the archive has one, too, the view is an empty one until then.
        let late = archive.entries(of: "RULE", among: present).filter { id in
            archive[id].map { names.table($0).name.utf8.reversed().starts(with: Self.viewRule) }
                ?? false
        }
        return present.subtracting(late).subtracting(publicSchema).union(attached)
    }

    private static let viewRule = Array(" _RETURN".utf8.reversed())

    /// Publications take no notice of a table that is made anew: the backup's own are made again, others end here.
    private func lostPublications(_ plan: PostgresPlan) -> [String] {
        let dropped = plan.drops.compactMap { archive[$0] }.filter(\.isTable).map(names.table)
        let known = Set(
            describe(archive.entries(of: "PUBLICATION TABLE", among: archive.all))
                .map { ExactText($0.name) })
        return dropped.sorted().flatMap { table in
            presence.publications(of: table).map { "\(table) of \($0)" }
        }.filter { !known.contains(ExactText($0)) }.map {
            "publication table \($0): the backup does not know of it"
        }
    }

    /// `fk constraint orders_customer_fkey of public.orders: public.customers is not there`.
    private func leftOut(_ entry: PostgresArchive.Entry, there: Set<Int>) -> String {
        let missing = entry.dependencies.filter { !there.contains($0) }.compactMap { archive[$0] }
            .filter { $0.isTable || $0.isA("PUBLICATION") }
        let reason = missing.first.map { ": \(names.name(of: $0)) is not there" } ?? ""
        return "\(entry.kind.lowercased()) \(names.name(of: entry))\(reason)"
    }

    /// Attachments to indexes and keys that wholes which are kept do not have any more.
    ///
    /// Where the whole has them under other names, attaching the part attaches its own.
    private func lostAttachments(
        _ plan: PostgresPlan
    ) -> [(attachment: PostgresArchive.Entry, to: PostgresArchive.Entry)] {
        let there = plan.chosen.union(present)
        var lost: [(attachment: PostgresArchive.Entry, to: PostgresArchive.Entry)] = []
        for entry in archive.entries
        where entry.isA("INDEX ATTACH") && plan.chosen.contains(entry.id) {
            guard let id = archive.indexOfWhole(entry), !there.contains(id),
                let index = archive[id]
            else { continue }
            lost.append((attachment: entry, to: index))
        }
        return lost
    }

    /// `index attach public.users_1_name_idx: index users_name of public.users is not there`.
    private func leftOut(
        _ attachment: PostgresArchive.Entry, to index: PostgresArchive.Entry
    ) -> String {
        var words = names.name(of: index)
        if index.isRelation,
            let table = index.dependencies.compactMap({ archive[$0] }).first(where: { $0.isTable })
        {
            words = "\(names.table(index).name) of \(names.table(table))"
        }
        return "index attach \(names.name(of: attachment)): "
            + "\(index.kind.lowercased()) \(words) is not there"
    }

    /// Everything is restored: what else may be there depends on what was asked for.
    private func decideWhole(_ wanted: Set<Int>, _ plan: inout PostgresPlan) throws {
        let blocking = wanted.intersection(present).filter { id in
            archive[id].map { entry in !Self.containers.contains { entry.isA($0) } } ?? false
        }
        if request.drops {
            let tables = blocking.filter { archive[$0]?.isTable ?? false }
            plan.drops = blocking.subtracting(gone(with: tables)).union(tables)
        } else if request.existing == .fail, !blocking.isEmpty {
            throw inTheWay(describe(blocking).map { "\($0.kind.lowercased()) \($0.name)" })
        }
    }

    /// What a dropped thing takes along: what belongs to it, and sequences that it owns.
    private func gone(with drops: Set<Int>) -> Set<Int> {
        let tables = drops.filter { archive[$0]?.isTable ?? false }
        let tableNames = Set(
            candidates.filter { $0.entry.map(tables.contains) ?? false }.map(\.name))
        let sequences = archive.entries.filter { entry in
            entry.isRelation && entry.isA("SEQUENCE") && present.contains(entry.id)
                && presence.owner(ofSequence: names.table(entry)).map(tableNames.contains)
                    ?? false
        }
        return drops.union(archive.belongings(of: tables)).union(sequences.map(\.id))
    }

    /// What ties dropped tables to each other, whatever the order in which they go: foreign keys in a circle, rules that
    /// write into another table, policies that ask one; and what ties them to functions and types that go before them.
    func ties(amongTables dropped: Set<Int>) -> Set<Int> {
        let tables = dropped.filter { archive[$0]?.isTable ?? false }
        let others = dropped.filter { archive[$0].map { !$0.isRelation } ?? false }
        let attached = Set(
            archive.entries.filter { $0.isA("INDEX ATTACH") }.compactMap { archive.owner(of: $0) })
        return Set(
            archive.entries.filter { entry in
                let isTie =
                    Self.kindsOfTies.contains { entry.isA($0) }
                    || Self.kindsOfTiesToOthers.contains { entry.isA($0) }
                        && !others.isDisjoint(with: entry.dependencies)
                guard isTie, isPresent(entry), let table = archive.table(of: entry) else {
                    return false
                }
                return tables.contains(table) && !attached.contains(entry.id)
                    && !isInherited(entry, in: table)
            }.map(\.id))
    }

    /// Defaults are asked for by their own name: what is there counts by other ones.
    private func isPresent(_ entry: PostgresArchive.Entry) -> Bool {
        guard entry.isA("DEFAULT") else { return present.contains(entry.id) }
        return presence.holds(PostgresPresence.ownDefault, listedAs: names.table(entry))
    }

    /// Whether a check may be that of another table, with which it goes: the server drops it from no heir or part.
    private func isInherited(_ check: PostgresArchive.Entry, in table: Int) -> Bool {
        guard check.isA("CHECK CONSTRAINT") else { return false }
        return archive.wholesOfParts[table] != nil
            || archive[table]?.dependencies.contains { archive[$0]?.isTable ?? false } ?? false
    }

    private static let kindsOfTies = ["FK CONSTRAINT", "RULE", "POLICY"]
    private static let kindsOfTiesToOthers = [
        "TRIGGER", "CHECK CONSTRAINT", "DEFAULT", "INDEX", "STATISTICS",
    ]
}
