import BackupCore

/// Tables that keep what was computed in a session's time zone: it depends on the zone of whoever wrote the rows, and a restore
/// computes it in UTC.
struct MySQLZonedTables: Sendable {
    /// What is kept, by table.
    private var kept: [TableName: [String]] = [:]

    /// Adds a table, if it is one, by the statement that makes it.
    mutating func add(_ table: TableName, _ statement: String) {
        let zoned = MySQLComputation(statement).zoned
        if !zoned.isEmpty { kept[table] = zoned }
    }

    private var list: String {
        kept.keys.sorted().map { table in
            "\(table.name) (\((kept[table] ?? []).joined(separator: ", ")))"
        }.joined(separator: ", ")
    }

    private var verb: String { kept.count == 1 ? "keeps" : "keep" }

    /// What to tell of a source, nil where there is nothing to tell.
    ///
    /// - Throws: `MySQLError`.
    func words(ofSource connection: MySQLConnection) async throws -> String? {
        guard !kept.isEmpty else { return nil }
        let zone = try await MySQLZone(of: connection)
        guard !zone.isUTC else { return nil }
        return """
            \(list) \(verb) what is computed in the session's time zone, and new sessions are in \(zone.words): a restore \
            computes it in UTC, and says how to compute it in another zone
            """
    }

    /// What to tell of a restore, a warning or a note, with the statements that compute it anew; nil where there is nothing
    /// to tell.
    ///
    /// Without the mode days that no calendar has would be zeros, or an error, and so would texts that are no days. Where new
    /// sessions are in UTC only the zone of those that wrote the rows, which nothing tells, may be another.
    ///
    /// `connection`: On the target.
    /// - Throws: `MySQLError`.
    func words(ofTarget connection: MySQLConnection) async throws -> String? {
        guard !kept.isEmpty else { return nil }
        let zone = try await MySQLZone(of: connection)
        let statements = kept.keys.sorted().map {
            " ALTER TABLE \(MySQLText.qualified($0)) FORCE, ALGORITHM = COPY;"
        }
        let start = "\(list) \(verb) what is computed in the session's time zone, which is UTC now"
        let mode = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone ="
        guard !zone.isUTC else {
            return """
                \(start), as in new sessions here. Where those that wrote the rows were in another zone it is computed by: \
                \(mode) …;\(statements.joined())
                """
        }
        return """
            warning: \(start). In the zone of new sessions here, or of those that wrote the rows, it is computed by: \
            \(mode) \(MySQLText.literal(zone.name));\(statements.joined())
            """
    }
}

extension MySQLZonedTables {
    /// Those whose rows are restored.
    ///
    /// `connection`: In the target's database; nil while there is none.
    /// - Throws: `MySQLError`.
    init(_ plan: MySQLPlan, in database: String, _ connection: MySQLConnection?) async throws {
        let made = Dictionary(
            plan.chosen.filter { $0.kind == .table }.map { (ExactText($0.name), $0.statement) }
        ) { one, _ in one }
        for (name, table) in plan.target.tables {
            let place = TableName(schema: database, name: plan.place(of: name.name))
            if let statement = made[ExactText(name.name)] {
                add(place, statement)
            } else if table.treatment != .create, let connection {
                try await add(place, on: connection)
            }
        }
    }

    /// Those among tables of a source, by what makes them, as far as the server says it.
    init(_ tables: [TableName], _ statements: [ExactText: String]) {
        for table in tables {
            if let statement = statements[ExactText(table.name)] { add(table, statement) }
        }
    }

    private mutating func add(_ table: TableName, on connection: MySQLConnection) async throws {
        do {
            let rows = try await connection.rowsInterruptibly(
                "SHOW CREATE TABLE \(MySQLText.qualified(table))")
            add(table, (rows.first?[1]) ?? "")
        } catch let error as MySQLError where !error.isConnectionLoss {
            // What is wrong with it, or is not there any more, is said by whoever uses it.
        }
    }
}
