import BackupCore

/// Reads what makes the things of a database again, from the server's own `SHOW CREATE`.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/show.html>
struct MySQLObjects {
    let connection: MySQLConnection
    let database: String
    let server: MySQLServer

    /// What makes some tables, by their names.
    func statements(of tables: [TableName]) async throws -> [String: String] {
        var statements: [String: String] = [:]
        for table in tables {
            let row = try await connection.rows("SHOW CREATE TABLE \(MySQLText.qualified(table))")
            statements[table.name] = (row.first?[1]).map(MySQLObject.withoutCounter)
        }
        return statements
    }

    /// Everything, in the order in which it is made again.
    ///
    /// `isWhole`: Whether what is no table belongs to it: else only the tables' triggers do.
    /// - Throws: `BackupError.permissionDenied` naming all that the account may not see; `MySQLError`.
    func all(
        _ relations: [MySQLCatalog.Relation], isWhole: Bool
    ) async throws -> [MySQLObject] {
        var objects: [MySQLObject] = []
        var hidden: [String] = []
        for (kind, name) in try await names(relations, isWhole: isWhole) {
            if let object = try await object(kind, name) {
                objects.append(object)
            } else {
                hidden.append("\(kind.rawValue.lowercased()) \(name)")
            }
        }
        guard hidden.isEmpty else {
            throw BackupError(
                .permissionDenied,
                "the account may not see what makes \(hidden.joined(separator: ", "))",
                hint: "Run as an administrator: GRANT SHOW VIEW, TRIGGER, EVENT"
                    + (server.isMariaDB
                        ? " ON \(MySQLText.identifier(database)).* and SELECT ON mysql.proc"
                        : " ON \(MySQLText.identifier(database)).* and SHOW_ROUTINE ON *.*")
                    + " to it.")
        }
        return objects.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
    }

    private func names(
        _ relations: [MySQLCatalog.Relation], isWhole: Bool
    ) async throws -> [(MySQLObject.Kind, String)] {
        let tables = Set(relations.map(\.name.name))
        let here = MySQLText.literal(database)
        let relations = relations.map { relation in
            let kind: MySQLObject.Kind =
                switch relation.kind {
                case .table: .table
                case .view: .view
                case .sequence: .sequence
                }
            return (kind, relation.name.name)
        }
        let rows = try await connection.rows(
            """
            SELECT ROUTINE_TYPE, ROUTINE_NAME, NULL FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = \(here)
            UNION ALL
            SELECT 'TRIGGER', TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS
            WHERE TRIGGER_SCHEMA = \(here)
            UNION ALL
            SELECT 'EVENT', EVENT_NAME, NULL FROM information_schema.EVENTS
            WHERE EVENT_SCHEMA = \(here)
            """
        ).filter { row in row[2].map(tables.contains) ?? isWhole }
        return try relations
            + rows.map { row in
                guard let kind = MySQLObject.Kind(rawValue: row[0] ?? "") else {
                    throw BackupError(
                        .serverRefused,
                        "\(row[1] ?? "") is a \(row[0] ?? ""), which is not known",
                        hint: "Use a newer version of this program.")
                }
                return (kind, row[1] ?? "")
            }
    }

    /// Nil where the account may not see it.
    private func object(_ kind: MySQLObject.Kind, _ name: String) async throws -> MySQLObject? {
        let here = "\(MySQLText.identifier(database)).\(MySQLText.identifier(name))"
        let row: [String?]
        do {
            row = try await connection.rows("SHOW CREATE \(kind.rawValue) \(here)").first ?? []
        } catch let error as MySQLError where error.isRefusal {
            return nil
        }
        switch kind {
        case .table:
            return statement(row, 1).map {
                MySQLObject(
                    kind: kind, name: name,
                    statement: MySQLObject.withoutDatabase(
                        MySQLObject.withoutCounter($0), database))
            }
        case .sequence:
            return statement(row, 1).map { MySQLObject(kind: kind, name: name, statement: $0) }
        case .view:
            guard let text = statement(row, 1) else { return nil }
            var object = MySQLObject(
                kind: kind, name: name, statement: text,
                settings: settings([("character_set_client", 2), ("collation_connection", 3)], row))
            object.columns = try await columns(of: name)
            return object
        case .function, .procedure, .package, .packageBody, .trigger:
            return statement(row, 2).map {
                MySQLObject(
                    kind: kind, name: name, statement: $0,
                    settings: settings(
                        [
                            ("sql_mode", 1), ("character_set_client", 3),
                            ("collation_connection", 4),
                        ], row))
            }
        case .event:
            return statement(row, 3).map {
                MySQLObject(
                    kind: kind, name: name, statement: $0,
                    settings: settings(
                        [
                            ("sql_mode", 1), ("time_zone", 2), ("character_set_client", 4),
                            ("collation_connection", 5),
                        ], row))
            }
        }
    }

    private func statement(_ row: [String?], _ index: Int) -> String? {
        row.indices.contains(index) ? row[index] : nil
    }

    private func settings(
        _ places: [(name: String, index: Int)], _ row: [String?]
    ) -> [MySQLObject.Setting] {
        places.compactMap { place in
            statement(row, place.index).map { .init(name: place.name, value: $0) }
        }
    }

    private func columns(of view: String) async throws -> [String] {
        try await connection.rows(
            """
            SELECT COLUMN_NAME FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND \(MySQLText.isName("TABLE_NAME", view))
            ORDER BY ORDINAL_POSITION
            """
        ).compactMap { $0[0] }
    }
}
