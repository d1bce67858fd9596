import BackupCore

/// Decides; asks nobody and changes nothing.
struct PostgresTargetPlanner {
    static let containers = ["SCHEMA", "EXTENSION", "PROCEDURAL LANGUAGE"]

    /// A table of the backup: with rows, without, or the whole of partitions.
    struct Candidate {
        let name: TableName
        /// Nil for tables that an extension makes.
        let entry: Int?
        let stored: StoredTable?

        /// Whether it comes with an extension, which may have been made beforehand.
        var isOfExtension: Bool { entry == nil && stored?.load.filter != nil }
    }

    let request: TargetRequest
    let archive: PostgresArchive
    let presence: PostgresPresence
    let candidates: [Candidate]
    let names: PostgresArchiveNames
    let holders: PostgresNameHolders
    /// Entries of the archive that the target has.
    let present: Set<Int>
    /// Those that the restoring role may not make, whoever it acts for.
    var forbidden: Set<Int> = []

    init(_ request: TargetRequest, archive: PostgresArchive, presence: PostgresPresence) {
        self.request = request
        self.archive = archive
        self.presence = presence
        let names = PostgresArchiveNames(archive, request)
        let holders = PostgresNameHolders(archive: archive, names: names, presence: presence)
        self.names = names
        self.holders = holders
        candidates = Self.candidates(request, archive, names)
        present = Set(
            archive.entries.filter { presence.holds($0) && !holders.isOfAnother($0) }.map(\.id))
    }

    private static func candidates(
        _ request: TargetRequest, _ archive: PostgresArchive, _ names: PostgresArchiveNames
    ) -> [Candidate] {
        let stored = Dictionary(request.storedTables.map { ($0.object, $0) }) { first, _ in first }
        let fromArchive = archive.entries.filter { entry in
            entry.isTable && request.scopeObjects?.contains(entry.object) ?? true
        }.map { entry in
            Candidate(
                name: stored[entry.object]?.load.table ?? names.table(entry), entry: entry.id,
                stored: stored[entry.object])
        }
        let known = Set(fromArchive.compactMap { $0.stored?.object })
        let others = request.storedTables.filter { !known.contains($0.object) }
            .map { Candidate(name: $0.load.table, entry: nil, stored: $0) }
        return fromArchive + others
    }

    // MARK: The plan

    /// What an interrupted restore, if there was one, has not done yet.
    ///
    /// - Throws: `BackupError.usage` for tables that the backup does not hold;
    ///   `BackupError.targetUnsuitable` naming everything that is in the way.
    func plan(continuing mark: PostgresRestoreMark.Contents?) throws -> PostgresPlan {
        let selected = try selection()
        var plan = PostgresPlan()
        if request.omitsOwners || request.omitsPrivileges {
            plan.target.changed = [PostgresLargeObjects.objects]
        }
        try rename(selected, &plan)
        try checkKinds(selected, plan)
        if let mark {
            try continueTables(selected, mark, &plan)
            plan.chosen.subtract(withDecorations(unmade(of: mark.chosen)))
            decidePointers(selected, &plan)
            plan.target.leftOut =
                (mark.leftOut ?? leftOutBefore(selected, plan)) + forSuperusers(among: mark.chosen)
        } else {
            try decideTables(selected, &plan)
            try decideStructure(selected, &plan)
        }
        try decideSequences(selected, &plan)
        return describe(plan)
    }

    /// The tables that are meant, partitions of those that are meant included.
    private func selection() throws -> [Candidate] {
        guard !request.patterns.isEmpty else { return candidates }
        var chosen: Set<TableName> = []
        for pattern in request.patterns {
            let matches = candidates.map(\.name).filter {
                pattern.matches($0, defaultSchema: request.defaultSchema)
            }
            guard !matches.isEmpty else { throw unknown(pattern) }
            chosen.formUnion(matches)
        }
        let roots = candidates.filter { chosen.contains($0.name) }.compactMap(\.entry)
        let all = archive.withPartitions(Set(roots))
        return candidates.filter {
            chosen.contains($0.name) || $0.entry.map(all.contains) ?? false
        }
    }

    private func unknown(_ pattern: TablePattern) -> BackupError {
        BackupError(
            .usage, "the backup has no table \(pattern.text)",
            hint: Nearest.hint(
                to: pattern, among: candidates.map(\.name), defaultSchema: request.defaultSchema)
                ?? "\"dbtool show\" lists the tables of a backup.")
    }

    private func rename(_ selected: [Candidate], _ plan: inout PostgresPlan) throws {
        guard let literal = request.newName?.literal else { return }
        guard selected.count == 1, let table = selected.first, let entry = table.entry else {
            throw BackupError(
                .usage, "--as renames one table, and \(selected.count) are meant",
                hint: selected.count > 1
                    ? "Name one table, or one partition, with -tablename."
                    : "Tables that an extension makes cannot be renamed.")
        }
        let name = TableName(schema: literal.schema ?? table.name.schema, name: literal.name)
        guard name != table.name else { return }
        guard name.name.utf8.count <= 63 else {
            throw BackupError(.usage, "the name after --as is longer than 63 bytes")
        }
        if name.schema != table.name.schema { try requireSchema(of: name) }
        plan.renamed = (entry, table.name, name)
    }

    /// The name that a table has in the target.
    private func place(_ candidate: Candidate, _ plan: PostgresPlan) -> TableName {
        plan.renamed.map(\.to) ?? candidate.name
    }

    private func checkKinds(_ selected: [Candidate], _ plan: PostgresPlan) throws {
        for table in selected {
            let name = place(table, plan)
            guard let relation = presence.relations[name], !relation.isTable else { continue }
            throw BackupError(
                .targetUnsuitable, "\(name) exists in \(request.database) and is no table",
                hint: "Restore it under another name with --as, or into another database.")
        }
    }

    // MARK: Tables

    private func decideTables(_ selected: [Candidate], _ plan: inout PostgresPlan) throws {
        let existing = selected.filter { presence.relations[place($0, plan)] != nil }
        var ignored: Set<TableName> = []
        if request.content == .rows {
            try requireAll(selected, existing, plan)
        } else if request.drops {
            try requireKnownPartitions(selected, plan)
            try requireRows(existing, plan)
            plan.dropsCopy = plan.renamed != nil && !existing.isEmpty
            plan.drops = plan.renamed == nil ? Set(existing.compactMap(\.entry)) : []
        } else if (request.existing ?? .fail) == .fail {
            let inTheWay = existing.filter { !$0.isOfExtension }
            guard inTheWay.isEmpty else {
                throw self.inTheWay(inTheWay.map { Self.words("table", place($0, plan)) })
            }
            // The others must have no rows of the database's own, which is seen to later.
            ignored = Set(existing.filter { $0.stored?.rowCount == 0 }.map(\.name))
        }
        if request.existing == .truncate { try requireKnownPartitions(selected, plan) }
        guard request.content != .structure else { return }
        let keeps = request.drops ? [] : Set(existing.map(\.name))
        let meant = Set(selected.map(\.name))
        for table in selected {
            guard let stored = table.stored, !ignored.contains(table.name) else { continue }
            plan.target.tables[table.name] = .init(
                treatment(isKept: keeps.contains(table.name)),
                load(stored, table, meant: meant, keeps, plan))
        }
    }

    private func treatment(isKept: Bool) -> TargetPlan.Treatment {
        guard isKept else { return .create }
        return request.existing == .truncate ? .truncate : .append
    }

    private func requireAll(
        _ selected: [Candidate], _ existing: [Candidate], _ plan: PostgresPlan
    ) throws {
        let there = Set(existing.map(\.name))
        let missing = selected.filter {
            $0.stored != nil && $0.name.schema != PostgresLargeObjects.pages.schema
                && !there.contains($0.name)
        }
        guard missing.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "\(request.database) has no \(Self.list(missing.map { "table \(place($0, plan))" }))",
                hint: "Leave out --data-only to create them.")
        }
    }

    /// Dropping a table whose rows were left out of the backup would lose them.
    private func requireRows(_ existing: [Candidate], _ plan: PostgresPlan) throws {
        guard request.content == .everything else { return }
        let rowless = existing.filter { table in
            table.stored == nil && presence.relations[place(table, plan)]?.kind == "r"
        }
        guard rowless.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "the backup holds no rows of \(Self.list(rowless.map { "table \($0.name)" })), "
                    + "which --clean would drop",
                hint: "Name the tables that are meant with -tablename.")
        }
    }

    /// Emptying or dropping a partitioned table would take partitions along that nobody named.
    private func requireKnownPartitions(_ selected: [Candidate], _ plan: PostgresPlan) throws {
        // Those on other servers are never emptied, and are made again only with everything else.
        let foreign =
            request.isWhole ? archive.entries.filter { $0.kind == "FOREIGN TABLE" } : []
        let wholes = Set(selected.map { place($0, plan) })
        let listed = Set(foreign.map(names.table))
        let unknown = presence.relations.filter { name, relation in
            (relation.isTable || (relation.kind == "f" && request.drops)) && !wholes.contains(name)
                && !listed.contains(PostgresPresence.asInList(name))
                && relation.parent.map(wholes.contains) ?? false
        }.keys.sorted()
        guard unknown.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "what is restored does not hold \(Self.list(unknown.map { "partition \($0)" }))",
                hint: "Detach these first, or name the partitions that are meant with -tablename.")
        }
    }

    private func continueTables(
        _ selected: [Candidate], _ mark: PostgresRestoreMark.Contents, _ plan: inout PostgresPlan
    ) throws {
        plan.target.continues = true
        plan.chosen = mark.chosen
        plan.transactions = Set(mark.tables.values.compactMap(\.transaction)).sorted()
        // What was there before, wholes of partitions included, which are not among the mark's tables. Of one that the
        // interrupted restore has made the mark may say that its rows are replaced: a crash has taken them.
        let kept = selected.filter { table in
            guard let entry = table.entry else {
                return mark.tables[table.name].map { $0.treatment != .create } ?? false
            }
            return !mark.chosen.contains(entry)
        }
        let keeps = Set(kept.map(\.name))
        let meant = Set(selected.map(\.name))
        var gone: [TableName] = []
        for table in selected {
            guard let stored = table.stored, let known = mark.tables[table.name] else { continue }
            let relation = presence.relations[place(table, plan)]
            // What an archive lists lies in no schema of the system.
            if relation == nil, table.entry != nil, mark.hasStructure { gone.append(table.name) }
            var planned = TargetPlan.TablePlan(
                known.treatment, load(stored, table, meant: meant, keeps, plan))
            planned.isLoaded = known.isLoaded && !isReplacedAgain(known, keeps.contains(table.name))
            if known.isHalfLoaded { plan.halfLoaded.insert(table.name) }
            plan.target.tables[table.name] = planned
        }
        loadThroughWholesOfAll(selected, &plan)
        guard gone.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "\(request.database) has no \(Self.list(gone.map { "table \($0)" })) any more, "
                    + "which the interrupted restore counts on",
                hint: "Forget that restore, keeping what it made, and begin another one: "
                    + "DROP SCHEMA \(PostgresRestoreMark.schema) CASCADE;")
        }
        if mark.hasLostUnlogged { try decideLost(&plan) }
        decideAddedAgain(mark, &plan)
        decideRefilled(made: Set(selected.map(\.name)).subtracting(keeps), &plan)
    }

    /// Whoever replaces the rows of tables that were there has them replaced, whatever was written into these since the
    /// interruption.
    private func isReplacedAgain(
        _ known: PostgresRestoreMark.Contents.Table, _ wasThere: Bool
    ) -> Bool {
        wasThere && known.treatment == .truncate && request.existing == .truncate
    }

    // MARK: Words

    private func describe(_ plan: PostgresPlan) -> PostgresPlan {
        var plan = plan
        plan.target.drops = describe(plan.drops)
        plan.drops.formUnion(ties(amongTables: plan.drops))
        if plan.dropsCopy, let name = plan.renamed?.to {
            plan.target.drops = [TargetPlan.Object(kind: "TABLE", name: "\(name)")]
        }
        let decorations = archive.entries(
            ofKinds: ["ACL", "COMMENT", "SECURITY LABEL", "DEFAULT ACL"], among: plan.chosen)
        plan.target.creates = describe(plan.chosen.subtracting(decorations))
        if let renamed = plan.renamed {
            let original = Set(describe([renamed.entry]))
            plan.target.creates = plan.target.creates.map { object in
                original.contains(object)
                    ? TargetPlan.Object(
                        kind: object.kind, name: "\(renamed.from) as \(renamed.to)") : object
            }
        }
        return plan
    }

    func describe(_ ids: Set<Int>) -> [TargetPlan.Object] {
        archive.entries.filter { ids.contains($0.id) && !$0.kind.isEmpty }.map {
            TargetPlan.Object(kind: $0.kind, name: names.name(of: $0))
        }
    }

    /// `SCHEMA sales` must be there when a table is put into it under another name.
    private func requireSchema(of name: TableName) throws {
        guard !presence.hasSchema(name.schema) else { return }
        throw BackupError(
            .targetUnsuitable, "\(request.database) has no schema \(name.schema)",
            hint: "Create it: CREATE SCHEMA \(SQLText.identifier(name.schema));")
    }

    func inTheWay(_ words: [String], hint: String? = nil) -> BackupError {
        BackupError(
            .targetUnsuitable, "\(request.database) has \(Self.list(words)) already",
            hint: hint ?? """
                --existing truncate replaces the rows of such tables, --existing append adds rows, \
                --clean drops what the backup holds; or restore into another database\
                \(request.isWhole ? "" : ", or beside it with --as NAME").
                """)
    }

    /// Refuses names that are taken: what is dropped first is not in the way.
    ///
    /// An index could not be made when all rows are there already, and a sequence would be taken from its table. A view,
    /// a type or a function could not be made when what `--clean` drops is gone.
    func requireFreeNames(for entries: Set<Int>, _ plan: PostgresPlan) throws {
        let dropped = plan.drops.compactMap { archive[$0] }.filter {
            $0.isRelation && $0.kind != "INDEX"
        }
        let goers = Set(dropped.map(names.table))
        let taken = archive.entries.filter { entries.contains($0.id) }
            .compactMap(holders.holder).filter { !$0.goes(with: goers) }
        guard !taken.isEmpty else { return }
        throw inTheWay(
            taken.map(\.words),
            hint: """
                What is restored needs that name, and does not replace what has it. Give that \
                another one: \(taken.prefix(5).map(\.renaming).joined(separator: " "))
                Or restore into another database\(request.isWhole ? "" : ", or one table beside it with --as NAME").
                """)
    }

    private static func words(_ kind: String, _ name: TableName) -> String { "\(kind) \(name)" }

    static func list(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
