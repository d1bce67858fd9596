import BackupCore

/// What the server would refuse in the middle of a plan, found before anything changes.
struct PostgresPlanCheck {
    let request: TargetRequest
    let preparation: PostgresTargetPreparation
    let found: PostgresTargetOpening.Found
    let archive: PostgresArchiveRestore

    var plan: PostgresPlan { archive.plan }

    /// - Throws: `BackupError.targetUnsuitable`, `BackupError.permissionDenied`, with everything of one kind that is in the way.
    func run(_ server: PostgresServer) async throws {
        let sql = try await archive.script(
            plan.chosen, sections: ["pre-data", "post-data"], major: server.major)
        let extensions = archive.archive.entries.filter { entry in
            plan.chosen.contains(entry.id) && entry.kind == "EXTENSION"
        }.map { PostgresArchiveNames(archive.archive, request).name(of: $0) }
        let known = PostgresServerCheck.united(
            request.definition.roles, archive.archive.owners)
        let serverCheck = PostgresServerCheck(request: request)
        let roles = serverCheck.roles(of: sql, among: known, hasLargeObjects: hasLargeObjects)
        try await serverCheck.check(
            found.connection, major: server.major, sql: sql, extensions: extensions, roles: roles,
            acting: serverCheck.acting(
                roles.owners, in: archive.archive, chosen: plan.chosen,
                hasLargeObjects: hasLargeObjects))
        if let amount = sql.foreignMoney {
            request.notes(
                "warning: the backup's definitions have amounts of money as another lc_monetary writes them (\(amount)): "
                    + "look at defaults and conditions, which may come back with other amounts")
        }
        guard found.exists else {
            try await preparation.checkCreation(found.connection, major: server.major)
            return try await checkTypes(major: server.major)
        }
        if !plan.target.continues {
            try await PostgresDropCheck(
                request: request, archive: archive, presence: found.presence,
                connection: found.connection
            ).run()
        }
        try await checkPartsReplacedAlone()
        try await checkRowsOfOthers()
        try await checkLargeObjects()
        try await checkTablesOfExtensions()
        try await PostgresExistingTables(plan, of: request, on: found.connection).check()
        try await checkTypes(major: server.major)
        try await checkSequences()
        try await checkSubscriptions()
    }

    /// Whether some are made, and given to whom they belonged.
    private var hasLargeObjects: Bool {
        request.content != .rows && plan.target.tables[PostgresLargeObjects.objects] != nil
            && request.storedTables.contains {
                $0.load.table == PostgresLargeObjects.objects && $0.rowCount != 0
            }
    }

    private func checkTypes(major: Int) async throws {
        try await PostgresTypeCheck(
            request: request, archive: archive, connection: found.exists ? found.connection : nil
        ).run(major: major)
    }

    /// Tables whose rows one transaction commits together with the mark are empty until they are marked.
    ///
    /// Rows of one part may come to lie in another one where they go through the whole, and an extension fills its
    /// tables itself.
    private func checkRowsOfOthers() async throws {
        guard found.mark != nil else { return }
        var filled: [TableName] = []
        for (name, table) in plan.target.tables.sorted(by: { $0.key < $1.key }) {
            let load = table.load
            guard table.treatment == .create, !table.isLoaded, !plan.halfLoaded.contains(name),
                load.filter == nil, load.loadsThrough == nil,
                found.presence.relations[load.table]?.kind == "r",
                try await PostgresPlainTable.holdsRows(load.table, on: found.connection)
            else { continue }
            filled.append(load.table)
        }
        guard filled.isEmpty else {
            throw PostgresTarget.rowsOfOthers(filled, in: request.database)
        }
    }

    /// Of a table that an extension fills, those rows go that its condition in the target selects.
    ///
    /// What is added to keeps its rows, and what is not there yet has none.
    private func checkTablesOfExtensions() async throws {
        let tables = plan.target.tables.values.filter { table in
            table.load.filter != nil && table.treatment != .append && !table.isLoaded
                && found.presence.relations[table.load.place] != nil
        }.map(\.load.place)
        guard !tables.isEmpty else { return }
        let rows = try await found.connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND NOT EXISTS (
              SELECT 1 FROM pg_catalog.pg_extension e WHERE c.oid = ANY (e.extconfig))
            ORDER BY 1, 2
            """, [SQLText.array(tables)])
        guard rows.isEmpty else {
            throw PostgresEmptying.areOfNoExtension(
                rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
        }
    }

    /// The server drops no subscription with a slot in the transaction that drops everything else: it tells the other
    /// server.
    private func checkSubscriptions() async throws {
        let dropped = plan.target.drops.filter { $0.kind == "SUBSCRIPTION" }.map(\.name)
        guard !dropped.isEmpty else { return }
        let rows = try await found.connection.rows(
            """
            SELECT s.subname FROM pg_catalog.pg_subscription s
            JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
            WHERE d.datname = pg_catalog.current_database() AND s.subslotname IS NOT NULL
            ORDER BY 1
            """)
        let bound = rows.compactMap { $0[0] }.filter { name in
            dropped.contains(where: PostgresPresence.asInList(name).isExactly)
        }
        guard !bound.isEmpty else { return }
        let statements = bound.map(SQLText.identifier).map { name in
            "  ALTER SUBSCRIPTION \(name) DISABLE; "
                + "ALTER SUBSCRIPTION \(name) SET (slot_name = NONE); DROP SUBSCRIPTION \(name);"
        }
        throw BackupError(
            .targetUnsuitable,
            "\(request.database) has subscriptions that cannot be dropped with everything else: "
                + bound.joined(separator: ", "),
            hint: "Drop them first; their slots stay on the other server, and keep its log:\n"
                + statements.joined(separator: "\n"))
    }

    /// Large objects have numbers, not names: those of the target are other ones.
    private func checkLargeObjects() async throws {
        let ofSystem = plan.target.tables.keys.filter { $0.schema == "pg_catalog" }
        guard !ofSystem.isEmpty else { return }
        let known = [PostgresLargeObjects.objects, PostgresLargeObjects.pages]
        guard Set(ofSystem) == Set(known) else {
            throw BackupError(
                .damaged,
                "the backup has rows of \(ofSystem.map { "\($0)" }.joined(separator: ", "))",
                hint:
                    "Rows of large objects come together with the objects, and nothing else of pg_catalog."
            )
        }
        let objects = plan.target.tables[PostgresLargeObjects.objects]
        guard let objects, !objects.isLoaded, found.mark == nil else { return }
        let count = try await found.connection.value(
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata")
        guard count == "0" else {
            throw BackupError(
                .targetUnsuitable,
                "\(request.database) holds large objects, and those of the backup may have the same "
                    + "numbers",
                hint:
                    "Name the tables that are meant with -tablename, or restore into a new database."
            )
        }
    }

    /// A sequence that cannot be set would make the next insert collide.
    ///
    /// One that only goes forward is read to know whether it is further already, which takes a right of its own.
    private func checkSequences() async throws {
        guard request.content != .structure, found.mark == nil else { return }
        let moves: [(oid: String, isRead: Bool)] = plan.sequences.compactMap { name, move in
            let relation = found.presence.relation(listedAs: name)
            guard let relation, relation.kind == "S" else { return nil }
            return (relation.oid, move == .forward)
        }
        let rows = try await found.connection.rows(
            """
            SELECT n.nspname, c.relname, pg_catalog.has_sequence_privilege(c.oid, 'UPDATE'),
                   pg_catalog.has_sequence_privilege(c.oid, 'SELECT') OR c.oid <> ALL ($2::oid[])
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::oid[]) ORDER BY 1, 2
            """,
            [
                PostgresCatalog.array(moves.map { $0.oid }),
                PostgresCatalog.array(moves.filter { $0.isRead }.map { $0.oid }),
            ])
        let lacks = rows.filter { $0[2] != "t" || $0[3] != "t" }
        guard lacks.isEmpty else { throw mayNotSet(lacks, as: try await user()) }
        try await checkLimits()
    }

    private func user() async throws -> String {
        try await found.connection.value("SELECT current_user") ?? ""
    }

    /// Rows of a sequence's schema and name, and whether it may be set and read.
    private func mayNotSet(_ rows: [[String?]], as user: String) -> BackupError {
        let lacks = rows.map { row in
            (
                name: TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                rights: [row[2] == "t" ? nil : "UPDATE", row[3] == "t" ? nil : "SELECT"]
                    .compactMap(\.self)
            )
        }
        let grants = lacks.map { lack in
            "  GRANT \(lack.rights.joined(separator: ", ")) ON SEQUENCE \(SQLText.qualified(lack.name)) "
                + "TO \(SQLText.identifier(user));"
        }
        return BackupError(
            .permissionDenied,
            "role \(user) may not set sequence "
                + PostgresTargetPlanner.list(lacks.map { "\($0.name)" }),
            hint: "Restore as its owner or as a superuser, or let one of them run:\n"
                + grants.joined(separator: "\n"))
    }

    /// A sequence with narrower limits could not be set when all rows are there.
    private func checkLimits() async throws {
        let rows = try await found.connection.rows(
            """
            SELECT seqrelid, seqrelid::regclass::text, seqmin, seqmax, seqincrement > 0
            FROM pg_catalog.pg_sequence
            """)
        let limits = Dictionary(rows.map { ($0[0] ?? "", $0) }) { first, _ in first }
        var narrow: [String] = []
        for value in request.sequences {
            let name = PostgresPresence.asInList(TableName(schema: value.schema, name: value.name))
            guard let move = plan.sequences[name], move == .withRows || move == .forward,
                let relation = found.presence.relation(listedAs: name), relation.kind == "S",
                let limit = limits[relation.oid], let least = Int64(limit[2] ?? ""),
                let most = Int64(limit[3] ?? "")
            else { continue }
            let (isAbove, isBelow) = (value.lastValue > most, value.lastValue < least)
            let ascends = limit[4] == "t"
            // One that is further already stays where it is.
            let mayOnlyGoForward = move == .forward
            let isOutside = mayOnlyGoForward ? (ascends ? isAbove : isBelow) : isAbove || isBelow
            if isOutside { narrow.append(limit[1] ?? "") }
        }
        guard let first = narrow.first else { return }
        throw BackupError(
            .targetUnsuitable,
            "sequences of \(request.database) end before what the backup has: "
                + PostgresTargetPlanner.list(narrow),
            hint: "Give them its limits: ALTER SEQUENCE \(first) AS bigint NO MAXVALUE NO MINVALUE;"
        )
    }
}
