import BackupCore

/// What has become of the tables of an interrupted restore before it is gone on with.
///
/// What it had loaded may be lost: by a restart, where a storage engine keeps rows in memory or was writing them, or as
/// somebody dropped or emptied a table. And tables that it had only made may have rows of somebody since.
struct MySQLContinuation {
    let request: TargetRequest
    let connection: MySQLConnection
    let presence: MySQLPresence

    /// Plans to load again what is lost; nothing is emptied that the interrupted restore cannot have written.
    ///
    /// - Throws: `BackupError.targetUnsuitable` naming the tables that hold what nobody knows; `MySQLError`.
    func check(_ plan: inout MySQLPlan) async throws {
        let goes = Set(plan.drops.filter { $0.kind == .table }.map { ExactText($0.name) })
        var filled: [String] = []
        for (name, table) in plan.target.tables.sorted(by: { $0.key < $1.key })
        where table.treatment == .create && !goes.contains(ExactText(table.load.table.name)) {
            let place = table.load.table.name
            guard presence.relations[ExactText(place)] == .table else {
                plan.target.tables[name]?.isLoaded = false
                continue
            }
            if table.isLoaded {
                guard try await isLost(name, at: place) else { continue }
                try checkTriggers(of: place)
                plan.target.tables[name]?.isLoaded = false
            } else if try await holdsRows(place) {
                guard plan.begun.contains(ExactText(name.name)) else {
                    filled.append(place)
                    continue
                }
                request.notes(
                    "warning: table \(place) holds a part of its rows, as the restore was interrupted: it is emptied"
                )
            }
        }
        try refuse(filled)
    }

    /// Whether nothing is left of rows that were there.
    ///
    /// - Throws: `BackupError.targetUnsuitable` where some of them are left, or rows of somebody else.
    private func isLost(_ name: TableName, at place: String) async throws -> Bool {
        let stored = request.storedTables.first { $0.load.table == name }
        guard let expected = stored?.rowCount, expected > 0 else { return false }
        guard try await holdsRows(place) else { return true }
        // What InnoDB has committed stays; of others the server knows the number.
        guard !presence.isDurable(place) else { return false }
        let count = try await connection.rowsInterruptibly("SELECT COUNT(*) FROM \(table(place))")
            .first?.first?.flatMap { Int($0) }
        guard let count, count < expected else { return false }
        throw BackupError(
            .targetUnsuitable,
            "table \(place) of \(request.database) has \(count) of \(expected) rows that were loaded",
            hint: "Drop it, and run the same restore again: DROP TABLE \(table(place));")
    }

    private func holdsRows(_ place: String) async throws -> Bool {
        let rows = try await connection.rowsInterruptibly(
            "SELECT 1 FROM \(table(place)) LIMIT 1")
        return !rows.isEmpty
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

    private func refuse(_ filled: [String]) throws {
        guard let first = filled.first else { return }
        throw BackupError(
            .targetUnsuitable,
            "tables of \(request.database) hold rows that the interrupted restore did not load: "
                + MySQLTargetPlanner.list(filled),
            hint: """
                Keep them elsewhere if they are needed, empty the tables, and run the same restore again: \
                DELETE FROM \(table(first));
                """)
    }
}
