import BackupCore

/// What has become of the tables of an interrupted restore before it is gone on with.
///
/// What it had loaded may be lost: by a restart, where a storage engine keeps rows in memory or was writing them, or as
/// somebody dropped or emptied a table. And tables that it had only made may have rows of somebody since.
struct MySQLContinuation {
    let request: TargetRequest
    let connection: MySQLConnection
    let presence: MySQLPresence

    /// Tables that are in the way.
    private struct Obstacles {
        /// They hold rows that the interrupted restore did not write.
        var filled: [String] = []
        /// They would have to be made anew.
        var stuck: [String] = []
    }

    /// Plans to load again what is lost; nothing is emptied that the interrupted restore cannot have written.
    ///
    /// - Throws: `BackupError.targetUnsuitable` naming the tables that hold what nobody knows; `MySQLError`.
    func check(_ plan: inout MySQLPlan) async throws {
        let goes = Set(plan.drops.filter { $0.kind == .table }.map { ExactText($0.name) })
        let made = Set(plan.chosen.filter { $0.kind == .table }.map { ExactText($0.name) })
        let rowCounts = Dictionary(
            request.storedTables.map { (ExactText($0.load.table.name), $0.rowCount ?? 0) },
            uniquingKeysWith: { first, _ in first })
        var obstacles = Obstacles()
        for (name, table) in plan.target.tables.sorted(by: { $0.key < $1.key })
        where table.treatment == .create && !goes.contains(ExactText(table.load.table.name)) {
            let place = table.load.table.name
            let expected = rowCounts[ExactText(name.name)] ?? 0
            let remains = MySQLRemains(
                sight: try await sight(of: place, loaded: table.isLoaded ? expected : 0),
                isLoaded: table.isLoaded,
                isBegun: plan.begun.contains(ExactText(name.name)), hasRows: expected > 0,
                isMade: made.contains(ExactText(name.name)),
                isAppendOnly: presence.isAppendOnly(place))
            switch remains.step {
            case .keep: break
            case .load:
                if table.isLoaded { try checkTriggers(of: place) }
                plan.loadAnew(name)
            case .empty:
                guard remains.sight == .filled else { continue }
                request.notes("warning: \(Self.words(remains, place)): it is emptied")
            case .remake:
                try checkForeignTriggers(of: place, plan)
                request.notes("warning: \(Self.words(remains, place)): it is made anew")
                plan.makeAnew(name)
            case .refuse: obstacles.filled.append(place)
            case .refuseTable: obstacles.stuck.append(place)
            }
        }
        try refuse(obstacles)
    }

    private static func words(_ remains: MySQLRemains, _ place: String) -> String {
        switch remains.sight {
        case .unreadable: "table \(place) is damaged, and cannot be read"
        case .empty: "table \(place) shows no rows, and may hold a part of them"
        case .absent, .filled:
            "table \(place) holds a part of its rows, as the restore was interrupted"
        }
    }

    /// `loaded`: How many rows were there once.
    private func sight(of place: String, loaded: Int) async throws -> MySQLRemains.Sight {
        guard presence.relations[ExactText(place)] == .table else { return .absent }
        do {
            let rows = try await connection.rowsInterruptibly(
                "SELECT 1 FROM \(table(place)) LIMIT 1")
            guard !rows.isEmpty else { return .empty }
            try await checkCount(of: place, loaded)
            return .filled
        } catch let error as MySQLError where error.isDamagedTable && !presence.isDurable(place) {
            // InnoDB mends itself: where it cannot, an administrator should know.
            return .unreadable
        }
    }

    /// What InnoDB has committed stays; of others the server knows the number.
    ///
    /// - Throws: `BackupError.targetUnsuitable` where only some rows are left, or rows of somebody else.
    private func checkCount(of place: String, _ expected: Int) async throws {
        guard expected > 0, !presence.isDurable(place) else { return }
        let count = try await connection.rowsInterruptibly("SELECT COUNT(*) FROM \(table(place))")
            .first?.first?.flatMap { Int($0) }
        guard let count, count < expected else { return }
        throw BackupError(
            .targetUnsuitable,
            "table \(place) of \(request.database) has \(count) of \(expected) rows that were loaded",
            hint: "Drop it, and run the same restore again: DROP TABLE \(table(place));")
    }

    private func table(_ place: String) -> String {
        MySQLText.qualified(TableName(schema: request.database, name: place))
    }

    /// The interrupted restore came as far as those of the table.
    private func checkTriggers(of place: String) throws {
        let triggers = presence.triggers[ExactText(place)] ?? []
        guard let trigger = triggers.first(where: { $0.fires(at: .create) }) else { return }
        throw BackupError(
            .targetUnsuitable,
            "table \(place) of \(request.database) has lost the rows that were loaded, and its trigger "
                + "\(trigger.name) would fire",
            hint: "Drop it, and run the same restore again: DROP TABLE \(table(place));")
    }

    /// Triggers that the backup makes come again.
    private func checkForeignTriggers(of place: String, _ plan: MySQLPlan) throws {
        let made = Set(plan.chosen.filter { $0.kind == .trigger }.map { ExactText($0.name) })
        let triggers = presence.triggers[ExactText(place)] ?? []
        guard let trigger = triggers.first(where: { !made.contains(ExactText($0.name)) }) else {
            return
        }
        throw BackupError(
            .targetUnsuitable,
            "table \(place) of \(request.database) has to be made anew, and its trigger \(trigger.name), "
                + "which the backup does not make, would go with it",
            hint: """
                Keep what makes the trigger (SHOW CREATE TRIGGER), drop the table, and run the same restore again: \
                DROP TABLE \(table(place));
                """)
    }

    private func refuse(_ obstacles: Obstacles) throws {
        if let first = obstacles.stuck.first {
            throw BackupError(
                .targetUnsuitable,
                "tables of \(request.database) cannot be read or emptied, and may hold what the interrupted restore did "
                    + "not write: \(MySQLTargetPlanner.list(obstacles.stuck))",
                hint: """
                    Keep what is needed of them elsewhere (REPAIR TABLE makes damaged ones readable), drop them, and run \
                    the same restore again: DROP TABLE \(table(first));
                    """)
        }
        guard let first = obstacles.filled.first else { return }
        throw BackupError(
            .targetUnsuitable,
            "tables of \(request.database) hold rows that the interrupted restore did not load: "
                + MySQLTargetPlanner.list(obstacles.filled),
            hint: """
                Keep them elsewhere if they are needed, empty the tables, and run the same restore again: \
                DELETE FROM \(table(first));
                """)
    }
}
