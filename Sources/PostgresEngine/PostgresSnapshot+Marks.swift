import BackupCore

/// Rows that may have changed.
extension PostgresSnapshot {
    func markedParts(of table: Table, by mark: RowMark) -> MarkedSelection<MarkedPart> {
        selection(of: table, by: mark) { rows, condition in
            rows.markedStatements(key: table.key, marking: condition, split: table.split).map {
                MarkedPart(
                    keys: TablePart(table: table.name, selection: $0.keys),
                    rows: TablePart(table: table.name, selection: $0.rows))
            }
        }
    }

    func rowsWithMarks(of table: Table, by mark: RowMark) -> MarkedSelection<TablePart> {
        selection(of: table, by: mark) { rows, condition in
            rows.statementsWithMarks(key: table.key, marking: condition, split: table.split).map {
                TablePart(table: table.name, selection: $0)
            }
        }
    }

    private func selection<Part>(
        of table: Table, by mark: RowMark, _ parts: (PostgresRows, String) -> [Part]
    ) -> MarkedSelection<Part> {
        guard let rows = rows[table.name] else { return .impossible("nobody knows its rows") }
        switch rows.marking(by: mark) {
        case .success(let condition): return .parts(parts(rows, condition))
        case .failure(let loss): return .impossible(loss.reason)
        }
    }

    func parts(of table: Table, keys: [[String]]) -> [TablePart] {
        let key = table.key.compactMap { name in
            table.columns.first { ExactText($0.name) == ExactText(name) }
        }
        return (rows[table.name]?.statements(key: key, values: keys) ?? []).map {
            TablePart(table: table.name, selection: $0)
        }
    }

    // MARK: By a column

    func kind(of column: Column) -> ColumnKind? {
        if ["smallint", "integer", "bigint"].contains(column.type) { return .number }
        return column.type.hasPrefix("timestamp") && column.type.hasSuffix(" time zone")
            ? .time : nil
    }

    func upkeep(of column: Column, in table: Table) async throws -> ColumnUpkeep {
        try await onLeader(while: "cannot ask about the column \(column.name)") { leader in
            let row =
                try await leader.rows(
                    """
                    SELECT a.attnotnull, a.atthasdef OR a.attidentity <> '',
                           EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
                                   WHERE t.tgrelid = a.attrelid AND NOT t.tgisinternal
                                     AND t.tgenabled <> 'D'
                                     AND t.tgtype & \(Self.beforeUpdateOfRow)
                                         = \(Self.beforeUpdateOfRow))
                    FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum = $2::int2
                    """, [table.identity.object, "\(column.number)"]
                ).first ?? []
            return ColumnUpkeep(
                isNullable: row.first != "t", hasDefault: row.dropFirst().first == "t",
                isSetOnUpdate: row.last == "t")
        }
    }

    /// The bits of a trigger's type: for each row, before, on update.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/catalog-pg-trigger.html>
    private static let beforeUpdateOfRow = 1 | 2 | 16

    func bound(
        of column: ChangeColumn, maximum: String, overlap: Int,
        since parent: [String: String], at time: Timestamp
    ) async throws -> ColumnBound {
        guard column.kind == .time else {
            return .from(Self.bound(maximum, overlap, column.column.type), isAhead: false)
        }
        guard let clock = PostgresIdentity(parent).oldestTransaction else {
            return .impossible(
                "nobody knows when the oldest transaction began that was open at the parent")
        }
        // A time without a zone is by some clock on earth, and none is behind the west's.
        let isZoned = column.column.type.hasSuffix("with time zone")
        @Sendable func wall(_ parameter: String, _ hours: String) -> String {
            isZoned
                ? "\(parameter)::timestamptz"
                : "(\(parameter)::timestamptz AT TIME ZONE 'UTC' + interval '\(hours) hours')"
        }
        let type = isZoned ? "timestamptz" : "timestamp"
        return try await onLeader(while: "cannot calculate with times") { leader in
            // Without fractions: a column may round.
            let row =
                try await leader.rows(
                    """
                    SELECT (pg_catalog.date_trunc(
                              'second', LEAST($1::\(type), \(wall("$2", "-12"))))
                            - pg_catalog.make_interval(secs => $3::float8))::text,
                           $1::\(type) > \(wall("$4", "14"))
                    """, [maximum, clock, "\(overlap)", time.text]
                ).first ?? []
            return .from((row.first ?? nil) ?? "-infinity", isAhead: row.last == "t")
        }
    }

    private static func bound(_ maximum: String, _ overlap: Int, _ type: String) -> String {
        let (difference, overflows) = (Int(maximum) ?? Int.min).subtractingReportingOverflow(
            overlap)
        let least =
            switch type {
            case "smallint": Int(Int16.min)
            case "integer": Int(Int32.min)
            default: Int.min
            }
        return "\(overflows ? least : max(difference, least))"
    }

    private func onLeader<Result: Sendable>(
        while doing: String, _ body: @Sendable (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        do {
            return try await leader.turn.pass { try await body(leader) }
        } catch let error as PostgresError {
            throw error.backupError(while: doing)
        }
    }
}
