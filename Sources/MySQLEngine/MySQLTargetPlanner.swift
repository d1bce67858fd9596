import BackupCore

/// Decides; asks nobody and changes nothing.
struct MySQLTargetPlanner {
    let request: TargetRequest
    let definition: MySQLDefinition
    let presence: MySQLPresence

    /// A table of the backup.
    private struct Candidate {
        let object: MySQLObject
        /// Nil for a table whose rows were left out.
        let stored: StoredTable?

        var name: String { object.name }
    }

    private var candidates: [Candidate] {
        let stored = Dictionary(
            request.storedTables.map { (ExactText($0.load.table.name), $0) }
        ) { first, _ in first }
        return definition.objects.filter { $0.kind == .table }.map {
            Candidate(object: $0, stored: stored[ExactText($0.name)])
        }
    }

    // MARK: The plan

    /// What an interrupted restore, if there was one, has not done yet.
    ///
    /// - Throws: `BackupError.usage` for tables that the backup does not hold;
    ///   `BackupError.targetUnsuitable` naming everything that is in the way.
    func plan(continuing mark: MySQLRestoreMark.Contents?) throws -> MySQLPlan {
        let selected = try selection()
        var plan = MySQLPlan()
        try rename(selected, &plan)
        let wanted = wanted(selected, plan)
        try checkKinds(
            request.content == .rows ? wanted.filter { $0.kind == .table } : wanted, plan)
        if let mark {
            continueTables(selected, mark, &plan)
        } else {
            try decideTables(selected, &plan)
            try decideStructure(selected, wanted, &plan)
        }
        try decideForeignKeys(&plan)
        decideCounters(wanted, &plan)
        plan.target.drops = plan.drops.map(described)
        plan.target.creates = plan.chosen.map(described)
        plan.target.made = madeBefore(plan).map(described)
        plan.target.warnings = MySQLBodies(
            request: request, definition: definition, presence: presence
        ).warnings(plan)
        return plan
    }

    private func described(_ object: MySQLObject) -> TargetPlan.Object {
        TargetPlan.Object(kind: object.kind.rawValue, name: object.name)
    }

    private func selection() throws -> [Candidate] {
        let all = candidates
        guard !request.patterns.isEmpty else { return all }
        var chosen: Set<ExactText> = []
        for pattern in request.patterns {
            let matches = all.filter {
                pattern.matches(
                    TableName(schema: request.defaultSchema, name: $0.name),
                    defaultSchema: request.defaultSchema)
            }
            guard !matches.isEmpty else {
                throw BackupError(
                    .usage, "the backup has no table \(pattern.text)",
                    hint: Nearest.hint(
                        to: pattern,
                        among: all.map { TableName(schema: request.defaultSchema, name: $0.name) },
                        defaultSchema: request.defaultSchema)
                        ?? "\"dbtool show\" lists the tables of a backup.")
            }
            chosen.formUnion(matches.map { ExactText($0.name) })
        }
        return all.filter { chosen.contains(ExactText($0.name)) }
    }

    private func rename(_ selected: [Candidate], _ plan: inout MySQLPlan) throws {
        guard let literal = request.newName?.literal else { return }
        guard selected.count == 1, let table = selected.first else {
            throw BackupError(
                .usage, "--as renames one table, and \(selected.count) are meant",
                hint: "Name one table with -tablename.")
        }
        if let schema = literal.schema, !schema.isExactly(request.database) {
            throw BackupError(
                .usage, "--as names a table of \(schema), and \(request.database) is restored into",
                hint: "Name the database with --into, and the table alone with --as.")
        }
        guard !literal.name.isExactly(table.name) else { return }
        guard literal.name.unicodeScalars.count <= 64 else {
            throw BackupError(.usage, "the name after --as is longer than 64 characters")
        }
        plan.renamed = (table.name, literal.name)
    }

    /// Tables, views and sequences share their names; and a trigger's is that of one table.
    private func checkKinds(_ wanted: [MySQLObject], _ plan: MySQLPlan) throws {
        for object in wanted where MySQLObject.Kind.relations.contains(object.kind) {
            let name = plan.place(of: object.name)
            guard let kind = presence.relations[ExactText(name)], kind != object.kind else {
                continue
            }
            let (own, other) = (object.kind.rawValue.lowercased(), kind.rawValue.lowercased())
            throw BackupError(
                .targetUnsuitable,
                "\(name) exists in \(request.database) and is no \(own), but a \(other)",
                hint: object.kind == .table
                    ? "Restore it under another name with --as, or into another database."
                    : "Rename what is there, or restore into another database.")
        }
    }

    /// A renamed table has taken its triggers along: their names are not free, and dropping them would not be meant.
    private func checkTriggers(_ plan: MySQLPlan) throws {
        let dropped = Set(plan.drops.filter { $0.kind == .table }.map { ExactText($0.name) })
        let dropsTriggers = Set(
            plan.drops.filter { $0.kind == .trigger }.map { ExactText($0.name) })
        let taken = plan.chosen.filter { $0.kind == .trigger }.compactMap { trigger in
            presence.table(ofTrigger: trigger.name).flatMap { table -> String? in
                let goes =
                    dropped.contains(ExactText(table))
                    || dropsTriggers.contains(ExactText(trigger.name))
                return goes ? nil : "trigger \(trigger.name) of table \(table)"
            }
        }
        guard taken.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "\(request.database) has \(Self.list(taken)), and the backup has it on another table",
                hint: """
                    A database has one trigger of a name: drop it if it is not needed (DROP TRIGGER), \
                    restore beside the table with --as NAME, or into another database.
                    """)
        }
    }

    // MARK: Tables

    private func isThere(_ table: Candidate, _ plan: MySQLPlan) -> Bool {
        presence.relations[ExactText(plan.place(of: table.name))] != nil
    }

    private func decideTables(_ selected: [Candidate], _ plan: inout MySQLPlan) throws {
        let existing = selected.filter { isThere($0, plan) }
        if request.content == .rows {
            let missing = selected.filter { $0.stored != nil && !isThere($0, plan) }
            guard missing.isEmpty else {
                throw BackupError(
                    .targetUnsuitable,
                    "\(request.database) has no \(Self.list(missing.map { "table \(plan.place(of: $0.name))" }))",
                    hint: "Leave out --data-only to create them.")
            }
        } else if request.drops {
            try requireRows(existing, plan)
            plan.drops = existing.map { table in
                MySQLObject(kind: .table, name: plan.place(of: table.name), statement: "")
            }
        } else if (request.existing ?? .fail) == .fail, !existing.isEmpty {
            throw inTheWay(existing.map { "table \(plan.place(of: $0.name))" })
        }
        guard request.content != .structure else { return }
        let keeps = request.drops ? [] : Set(existing.map { ExactText($0.name) })
        for table in selected {
            guard let stored = table.stored else { continue }
            plan.target.tables[stored.load.table] = .init(
                treatment(isKept: keeps.contains(ExactText(table.name))), load(stored, plan))
        }
    }

    private func treatment(isKept: Bool) -> TargetPlan.Treatment {
        guard isKept else { return .create }
        return request.existing == .truncate ? .truncate : .append
    }

    private func load(_ stored: StoredTable, _ plan: MySQLPlan) -> TableLoad {
        var load = stored.load
        load.table = TableName(
            schema: request.database, name: plan.place(of: stored.load.table.name))
        return load
    }

    /// Dropping a table whose rows are not in the backup would lose them, unless it only shows those of others.
    private func requireRows(_ existing: [Candidate], _ plan: MySQLPlan) throws {
        guard request.content == .everything else { return }
        let rowless = existing.filter { table in
            table.stored == nil && !presence.keepsRows(ofDropped: plan.place(of: table.name))
        }
        guard rowless.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "the backup holds no rows of \(Self.list(rowless.map { "table \($0.name)" })), "
                    + "which --clean would drop",
                hint: "Name the tables that are meant with -tablename.")
        }
    }

    private func continueTables(
        _ selected: [Candidate], _ mark: MySQLRestoreMark.Contents, _ plan: inout MySQLPlan
    ) {
        plan.target.continues = true
        plan.drops = mark.drops
        plan.chosen = definition.objects.filter {
            mark.chosen.contains(MySQLRestoreMark.label(of: $0))
        }
        for table in selected {
            guard let stored = table.stored, let known = mark.tables[ExactText(table.name)] else {
                continue
            }
            var planned = TargetPlan.TablePlan(known.treatment, load(stored, plan))
            // Rows that are replaced are replaced again, whatever was written since the interruption.
            planned.isLoaded = known.isLoaded && known.treatment != .truncate
            if known.isBegun { plan.begun.insert(ExactText(table.name)) }
            plan.target.tables[stored.load.table] = planned
        }
    }

    // MARK: Structure

    private func decideStructure(
        _ selected: [Candidate], _ wanted: [MySQLObject], _ plan: inout MySQLPlan
    ) throws {
        guard request.content != .rows else { return }
        let present = plan.renamed == nil ? wanted.filter(presence.holds) : []
        if request.isWhole {
            if request.drops {
                plan.drops = present
            } else if request.existing == .fail, !present.isEmpty {
                throw inTheWay(present.map { "\($0.kind.rawValue.lowercased()) \($0.name)" })
            }
        }
        let dropped = Set(plan.drops.filter { $0.kind == .table }.map { ExactText($0.name) })
        let keptTables = Set(
            selected.filter { isThere($0, plan) }.map { ExactText(plan.place(of: $0.name)) }
        ).subtracting(dropped)
        let goes = Set(plan.drops.map(MySQLRestoreMark.label(of:)))
        plan.chosen = wanted.filter { object in
            if let table = MySQLStatementHead(object.statement)?.table.map(ExactText.init) {
                // The triggers of a table that stays are its own, those of one that goes go with it.
                return !keptTables.contains(table)
                    && (dropped.contains(table) || goes.contains(MySQLRestoreMark.label(of: object))
                        || !presence.holds(object))
            }
            if plan.renamed != nil, object.kind == .table {
                return !keptTables.contains(ExactText(plan.place(of: object.name)))
            }
            return goes.contains(MySQLRestoreMark.label(of: object)) || !presence.holds(object)
        }
        let made = Set(plan.chosen.map(MySQLRestoreMark.label(of:)))
        plan.target.keeps = wanted.filter { !made.contains(MySQLRestoreMark.label(of: $0)) }
            .filter { $0.kind != .trigger }.map(described)
        plan.target.leftOut +=
            lostHistories(plan) + lostTriggers(plan) + triggersOfOriginal(selected, plan)
        try checkTriggers(plan)
    }

    /// A copy beside the original must not do what the original's triggers do.
    private func triggersOfOriginal(_ selected: [Candidate], _ plan: MySQLPlan) -> [String] {
        guard plan.renamed != nil else { return [] }
        let names = Set(selected.map { ExactText($0.name) })
        return definition.objects.compactMap { object in
            guard object.kind == .trigger, let table = MySQLStatementHead(object.statement)?.table,
                names.contains(ExactText(table))
            else { return nil }
            return "trigger \(object.name) of \(table)"
        }
    }

    /// The triggers that go with tables that are dropped, and that the backup does not make again.
    private func lostTriggers(_ plan: MySQLPlan) -> [String] {
        let made = Set(plan.chosen.filter { $0.kind == .trigger }.map { ExactText($0.name) })
        return plan.drops.filter { $0.kind == .table }.flatMap { table in
            (presence.triggers[ExactText(table.name)] ?? [])
                .filter { !made.contains(ExactText($0.name)) }
                .map { "trigger \($0.name) of \(table.name): the backup does not make it" }
        }
    }

    /// What tables that are dropped know of rows that they had: a backup has the rows of its time.
    private func lostHistories(_ plan: MySQLPlan) -> [String] {
        plan.drops.filter {
            $0.kind == .table && presence.versioned.contains(ExactText($0.name))
        }.map { "history of \($0.name): the backup does not hold it" }
    }

    /// Everything; or some tables with their triggers, and the sequences that they count by.
    private func wanted(_ selected: [Candidate], _ plan: MySQLPlan) -> [MySQLObject] {
        guard !request.isWhole else { return definition.objects }
        let names = Set(selected.map { ExactText($0.name) })
        let words = Set(selected.flatMap { MySQLObject.sequences(in: $0.object.statement) })
        return definition.objects.filter { object in
            switch object.kind {
            case .table: names.contains(ExactText(object.name))
            case .sequence: words.contains(ExactText(object.name))
            case .trigger:
                plan.renamed == nil
                    && MySQLStatementHead(object.statement)?.table.map(ExactText.init)
                        .map(names.contains) ?? false
            default: false
            }
        }
    }

    /// Those whose table is neither made nor there are left out; a copy beside the original has none.
    private func decideForeignKeys(_ plan: inout MySQLPlan) throws {
        let tables = plan.chosen.filter { $0.kind == .table }
        let made = Set(tables.map { ExactText($0.name) })
        for table in tables {
            let statement = try MySQLTableStatement(
                table.statement, database: request.defaultSchema)
            for key in statement.foreignKeys {
                let isHere = key.referenced.schema.isExactly(request.defaultSchema)
                let name = ExactText(key.referenced.name)
                let isThere = made.contains(name) || presence.relations[name] == .table
                guard plan.renamed != nil || isHere && !isThere && !request.isWhole else {
                    let isOwn = isHere && key.referenced.name.isExactly(table.name)
                    let schema = isHere ? request.database : key.referenced.schema
                    if !isOwn {
                        plan.parents.insert(TableName(schema: schema, name: key.referenced.name))
                    }
                    continue
                }
                plan.leftOut.insert(
                    .init(table: ExactText(table.name), key: ExactText(key.name)))
                let reason =
                    if !isHere {
                        ": it refers to \(key.referenced)"
                    } else {
                        isThere ? "" : ": \(key.referenced.name) is not there"
                    }
                plan.target.leftOut.append("foreign key \(key.name) of \(table.name)\(reason)")
            }
        }
    }

    private func decideCounters(_ wanted: [MySQLObject], _ plan: inout MySQLPlan) {
        for (name, table) in plan.target.tables {
            plan.counters[ExactText(name.name)] =
                table.treatment == .append ? .forward : .exactly
        }
        for object in wanted where object.kind == .sequence {
            let isMade = plan.chosen.contains {
                $0.kind == .sequence && $0.name.isExactly(object.name)
            }
            if isMade {
                plan.counters[ExactText(object.name)] = .exactly
            } else if plan.renamed == nil {
                plan.counters[ExactText(object.name)] = .forward
            }
        }
    }

    // MARK: Words

    private func inTheWay(_ words: [String]) -> BackupError {
        BackupError(
            .targetUnsuitable, "\(request.database) has \(Self.list(words)) already",
            hint: """
                --existing truncate replaces the rows of such tables, --existing append adds rows, \
                --clean drops what the backup holds; or restore into another database\
                \(request.isWhole ? "" : ", or beside it with --as NAME").
                """)
    }

    /// The first of them, and how many more there are.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
