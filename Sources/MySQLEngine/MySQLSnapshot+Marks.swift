import BackupCore

/// Rows that may have changed, by a column that says when: the product does not show the versions of rows.
extension MySQLSnapshot {
    func markedParts(of table: Table, by mark: RowMark) -> MarkedSelection<MarkedPart> {
        guard case .column(let change, let value) = mark, let rows = rows[table.name] else {
            return .impossible(loss(ofIdentity: [:]) ?? "")
        }
        return .parts(
            rows.markedSelections(by: change, from: value, split: table.split).map {
                MarkedPart(
                    keys: TablePart(table: table.name, selection: $0.keys.text),
                    rows: TablePart(table: table.name, selection: $0.rows.text))
            })
    }

    func rowsWithMarks(of table: Table, by mark: RowMark) -> MarkedSelection<TablePart> {
        guard case .column(let change, let value) = mark, let rows = rows[table.name] else {
            return .impossible(loss(ofIdentity: [:]) ?? "")
        }
        return .parts(
            rows.selectionsWithMarks(by: change, from: value, split: table.split).map {
                TablePart(table: table.name, selection: $0.text)
            })
    }

    func parts(of table: Table, keys: [[String]]) -> [TablePart] {
        (rows[table.name]?.selections(keys: keys) ?? []).map {
            TablePart(table: table.name, selection: $0.text)
        }
    }

    // MARK: By a column

    func kind(of column: Column) -> ColumnKind? {
        switch column.type.prefix(while: { $0.isLetter }).lowercased() {
        case "datetime", "timestamp": .time
        case "tinyint", "smallint", "mediumint", "int", "bigint": .number
        default: nil
        }
    }

    func upkeep(of column: Column, in table: Table) async throws -> ColumnUpkeep {
        let place = """
            TABLE_SCHEMA = \(MySQLText.literal(objects.database)) AND \
            \(MySQLText.isName("TABLE_NAME", table.name.name))
            """
        return try await onLeader(while: "cannot ask about the column \(column.name)") { leader in
            let row =
                try await leader.rows(
                    """
                    SELECT IS_NULLABLE, COLUMN_DEFAULT, EXTRA FROM information_schema.COLUMNS
                    WHERE \(place) AND COLUMN_NAME = \(MySQLText.literal(column.name))
                    """
                ).first ?? ["YES", nil, nil]
            let trigger = try await leader.value(
                """
                SELECT 1 FROM information_schema.TRIGGERS
                WHERE \(MySQLText.isDatabase("TRIGGER_SCHEMA", objects.database))
                  AND \(MySQLText.isName("EVENT_OBJECT_TABLE", table.name.name))
                  AND ACTION_TIMING = 'BEFORE'
                  AND FIND_IN_SET('UPDATE', REPLACE(EVENT_MANIPULATION, ' ', '')) > 0 LIMIT 1
                """)
            let extra = (row[2] ?? "").lowercased()
            return ColumnUpkeep(
                isNullable: row[0] != "NO",
                hasDefault: row[1].map { $0.uppercased() != "NULL" } ?? false
                    || extra.contains("auto_increment"),
                isSetOnUpdate: extra.contains("on update") || trigger != nil)
        }
    }

    func bound(
        of column: ChangeColumn, maximum: String, overlap: Int,
        since parent: [String: String], at time: Timestamp
    ) async throws -> ColumnBound {
        guard column.kind == .time else {
            let (difference, overflows) = (Int(maximum) ?? Int.min).subtractingReportingOverflow(
                overlap)
            return .from("\(overflows ? Int.min : difference)", isAhead: false)
        }
        guard let clock = parent[MySQLIdentity.oldestTransaction] else {
            return .impossible(
                "nobody knows when the oldest transaction began that was open at the parent: that needs "
                    + "the privilege PROCESS, and cannot be told on a replica")
        }
        // A time without a zone is by some clock on earth, and none is behind the west's.
        let isZoned = column.column.type.lowercased().hasPrefix("timestamp")
        @Sendable func moment(_ text: String, hours: Int) -> String {
            let plain = text.hasSuffix("+00:00") ? String(text.dropLast(6)) : text
            return "(CAST(\(MySQLText.literal(plain)) AS DATETIME(6)) + INTERVAL \(hours) HOUR)"
        }
        let now = time.text.replacing("T", with: " ")
        return try await onLeader(while: "cannot calculate with times") { leader in
            // Without fractions: a column may round.
            let row =
                try await leader.rows(
                    """
                    SELECT DATE_FORMAT(LEAST(\(moment(maximum, hours: 0)), \(moment(clock, hours: isZoned ? 0 : -12)))
                             - INTERVAL \(overlap) SECOND, '%Y-%m-%d %H:%i:%s'),
                           \(moment(maximum, hours: 0)) > \(moment(now, hours: isZoned ? 0 : 14))
                    """
                ).first ?? []
            return .from((row.first ?? nil) ?? "0000-00-00 00:00:00", isAhead: row.last == "1")
        }
    }

    private func onLeader<Result: Sendable>(
        while doing: String, _ body: @Sendable (MySQLConnection) async throws -> Result
    ) async throws -> Result {
        do {
            return try await leader.turn.pass { try await body(leader) }
        } catch let error as MySQLError {
            throw error.backupError(while: doing)
        }
    }
}
