import BackupCore

/// Reads what makes the things of a database again, from the server's own `SHOW CREATE`.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/show.html>
struct MySQLObjects {
    let connection: MySQLConnection
    let database: String
    let server: MySQLServer
    /// The database's own, for what names none; known once everything is read.
    var collation = ""
    /// Whether tables and views can be left out that the server does not describe.
    var maySkip = false
    /// How long locks on tables are waited for.
    var lockTimeout = Duration.seconds(60)

    /// Within it the server answers, or says itself that it has waited for a lock in vain.
    ///
    /// But for one case: MySQL looks without end for the new version of a table that FLUSH has made old while an ALTER waits
    /// for it. What is only slow needs its time.
    var patience: Duration { lockTimeout + .seconds(5) }

    /// What makes some tables, by their names.
    ///
    /// `known`: What need not be asked for again.
    /// - Throws: `BackupError.locked` naming one that somebody makes anew, `.serverRefused` naming one that cannot be opened;
    ///   `MySQLError`.
    func statements(
        of tables: [TableName], known: [ExactText: String] = [:]
    ) async throws -> [ExactText: String] {
        var statements: [ExactText: String] = [:]
        for table in tables {
            let name = ExactText(table.name)
            if let statement = known[name] {
                statements[name] = statement
                continue
            }
            do {
                statements[name] = try await statement(of: table)
            } catch let error as MySQLError where error.isLockTimeout {
                throw BackupError(
                    .locked, "another session holds a lock on table \(table)",
                    hint:
                        "Wait until it has ended, or raise --lock-timeout. SHOW PROCESSLIST lists the sessions.",
                    underlying: error.message)
            } catch let error as MySQLError where error.isOfUnopenedTable {
                throw self.error(of: .table, table.name, error)
            }
        }
        return statements
    }

    /// What makes a table, without what changes with every row.
    ///
    /// - Throws: `MySQLError`; `CancellationError`.
    func statement(of table: TableName) async throws -> String? {
        let rows = try await connection.rowsInterruptibly(
            "SHOW CREATE TABLE \(MySQLText.qualified(table))", within: patience)
        return (rows.first?[1]).map(MySQLObject.withoutCounter)
    }

    /// Everything, in the order in which it is made again.
    ///
    /// `isWhole`: Whether what is no table belongs to it: else only the tables' triggers do, and the sequences
    /// among `others` that they count by; `known`: What makes tables, as far as it need not be asked for again.
    /// - Throws: `BackupError.permissionDenied` naming all that the account may not see, `.serverRefused` naming what cannot be
    ///   opened; `MySQLError`.
    func all(
        _ relations: [MySQLCatalog.Relation], isWhole: Bool,
        others: [MySQLCatalog.Relation] = [], known: [ExactText: String] = [:]
    ) async throws -> [MySQLObject] {
        var objects: [MySQLObject] = []
        var hidden: [String] = []
        func add(_ listings: [MySQLListing]) async throws {
            for listing in listings {
                if let object = try await object(listing, known) {
                    objects.append(object)
                } else {
                    hidden.append("\(listing.kind.rawValue.lowercased()) \(listing.name)")
                }
            }
        }
        try await add(try await listings(relations, isWhole: isWhole))
        if !isWhole {
            let used = objects.filter { $0.kind == .table }.reduce(into: Set<ExactText>()) {
                $0.formUnion(MySQLObject.sequences(in: $1.statement))
            }
            let sequences = others.filter { used.contains(ExactText($0.name.name)) }
            try await add(sequences.map { MySQLListing(kind: .sequence, name: $0.name.name) })
        }
        guard hidden.isEmpty else {
            let place = try await MySQLGrants(connection, on: server).place(of: database)
            throw BackupError(
                .permissionDenied,
                "the account may not see what makes \(hidden.joined(separator: ", "))",
                hint: """
                    Run as an administrator: GRANT SHOW VIEW, TRIGGER, EVENT ON \(place) and \
                    \(MySQLPrivileges.routinePrivilege(server.product, server.number)) to it.
                    """)
        }
        // Triggers of one event fire in the order in which they are made.
        return objects.enumerated().sorted { left, right in
            guard left.element.kind == right.element.kind else {
                return left.element.kind < right.element.kind
            }
            return left.element.kind == .trigger
                ? left.offset < right.offset : left.element.name < right.element.name
        }.map(\.element)
    }

    private func listings(
        _ relations: [MySQLCatalog.Relation], isWhole: Bool
    ) async throws -> [MySQLListing] {
        let tables = Set(relations.map { ExactText($0.name.name) })
        let relations = relations.map { relation in
            let kind: MySQLObject.Kind =
                switch relation.kind {
                case .table: .table
                case .view: .view
                case .sequence: .sequence
                }
            return MySQLListing(kind: kind, name: relation.name.name)
        }
        let rows = try await connection.rowsInterruptibly(
            """
            SELECT ROUTINE_TYPE, ROUTINE_NAME, NULL, ROUTINE_COMMENT FROM information_schema.ROUTINES
            WHERE \(MySQLText.isDatabase("ROUTINE_SCHEMA", database))
            UNION ALL
            SELECT 'EVENT', EVENT_NAME, NULL, EVENT_COMMENT FROM information_schema.EVENTS
            WHERE \(MySQLText.isDatabase("EVENT_SCHEMA", database))
            """)
        let triggers = try await connection.rowsInterruptibly(
            """
            SELECT 'TRIGGER', TRIGGER_NAME, EVENT_OBJECT_TABLE, NULL FROM information_schema.TRIGGERS
            WHERE \(MySQLText.isDatabase("TRIGGER_SCHEMA", database))
            ORDER BY CAST(EVENT_OBJECT_TABLE AS BINARY), ACTION_TIMING, ACTION_ORDER, EVENT_MANIPULATION
            """
        ).filter { row in tables.contains(ExactText(row[2] ?? "")) }
        // Since MariaDB 12 one trigger may fire at several events; a database has one of a name.
        var known: Set<ExactText> = []
        let distinct = triggers.filter { known.insert(ExactText($0[1] ?? "")).inserted }
        return try relations
            + ((isWhole ? rows : []) + distinct).map { row in
                guard let kind = MySQLObject.Kind(rawValue: row[0] ?? "") else {
                    throw BackupError(
                        .serverRefused,
                        "\(row[1] ?? "") is a \(row[0] ?? ""), which is not known",
                        hint: "Use a newer version of this program.")
                }
                return MySQLListing(
                    kind: kind, name: row[1] ?? "", table: row[2], comment: row[3] ?? "")
            }
    }

    /// Nil where the account may not see it.
    private func object(
        _ listing: MySQLListing, _ known: [ExactText: String]
    ) async throws -> MySQLObject? {
        let (kind, name) = (listing.kind, listing.name)
        // A doubtful one is looked at beside what is stored of it.
        if kind == .table, let text = known[ExactText(name)], !MySQLExactText.isDoubtful(text) {
            return table(name, text)
        }
        let here = "\(MySQLText.identifier(database)).\(MySQLText.identifier(name))"
        var row: [String?]
        do {
            let show = "SHOW CREATE \(kind.rawValue) \(here)"
            row = try await connection.rowsInterruptibly(show, within: patience).first ?? []
            let place = Self.placeOfText(kind)
            if let text = statement(row, place), MySQLExactText.isDoubtful(text),
                let stored = try await connection.storedRows(show).first?[place]
            {
                row[place] = try MySQLExactText.statement(
                    text, stored: stored, of: "\(kind.rawValue.lowercased()) \(name)",
                    isMariaDB: server.isMariaDB,
                    // Tables and views are printed for the plain mode.
                    escapes: place == 1 || !(row[1] ?? "").contains("NO_BACKSLASH_ESCAPES"))
            }
        } catch let error as MySQLError where error.isRefusal {
            return nil
        } catch let error as MySQLError where error.isOfUnopenedTable {
            throw self.error(of: kind, name, error)
        }
        switch kind {
        case .table:
            return statement(row, 1).map { table(name, MySQLObject.withoutCounter($0)) }
        case .sequence:
            return statement(row, 1).map { MySQLObject(kind: kind, name: name, statement: $0) }
        case .view:
            guard let text = statement(row, 1) else { return nil }
            // Its text is printed for the plain mode, whatever what is made before it needs.
            var object = MySQLObject(
                kind: kind, name: name, statement: MySQLObject.withoutDatabase(text, database),
                settings: [.init(name: "sql_mode", value: "")]
                    + settings(
                        [("character_set_client", 2), ("collation_connection", 3)], row, text))
            object.columns = try await columns(of: name)
            return object
        case .function, .procedure, .package, .packageBody, .trigger:
            return object(
                listing, row,
                [
                    ("sql_mode", 1), ("character_set_client", 3),
                    ("collation_connection", 4), (MySQLObject.Setting.collation, 5),
                ])
        case .event:
            return object(
                listing, row,
                [
                    ("sql_mode", 1), ("time_zone", 2), ("character_set_client", 4),
                    ("collation_connection", 5), (MySQLObject.Setting.collation, 6),
                ])
        }
    }

    private func table(_ name: String, _ text: String) -> MySQLObject {
        MySQLObject(
            kind: .table, name: name, statement: MySQLObject.withoutDatabase(text, database))
    }

    /// A thing with a body.
    ///
    /// `places`: In which column each of its settings stands.
    private func object(
        _ listing: MySQLListing, _ row: [String?], _ places: [(name: String, index: Int)]
    ) -> MySQLObject? {
        guard let text = statement(row, Self.placeOfText(listing.kind)) else { return nil }
        func setting(_ name: String) -> String {
            places.first { $0.name == name }.flatMap { statement(row, $0.index) } ?? ""
        }
        let corrected = listing.corrected(
            text, characterSet: setting("character_set_client"), mode: setting("sql_mode"))
        var object = MySQLObject(
            kind: listing.kind, name: listing.name, statement: corrected,
            settings: settings(places, row, corrected))
        object.table = listing.table
        return object
    }

    /// In which column the statement stands.
    private static func placeOfText(_ kind: MySQLObject.Kind) -> Int {
        switch kind {
        case .table, .sequence, .view: 1
        case .function, .procedure, .package, .packageBody, .trigger: 2
        case .event: 3
        }
    }

    private func statement(_ row: [String?], _ index: Int) -> String? {
        row.indices.contains(index) ? row[index] : nil
    }

    /// `text`: What is made under them: the server has turned it into UTF-8, and so it is sent again.
    private func settings(
        _ places: [(name: String, index: Int)], _ row: [String?], _ text: String
    ) -> [MySQLObject.Setting] {
        let isPlain = text.utf8.allSatisfy { $0 < 0x80 }
        return places.compactMap { place in
            statement(row, place.index).flatMap { value in
                if place.name == MySQLObject.Setting.collation, value == collation { return nil }
                let isTurned =
                    place.name == "character_set_client" && !isPlain && !value.hasPrefix("utf8")
                return .init(name: place.name, value: isTurned ? "utf8mb4" : value)
            }
        }
    }

    private func columns(of view: String) async throws -> [String] {
        try await connection.rowsInterruptibly(
            """
            SELECT COLUMN_NAME FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND \(MySQLText.isName("TABLE_NAME", view))
            ORDER BY ORDINAL_POSITION
            """
        ).compactMap { $0[0] }
    }
}
