import BackupCore

/// A copy of a `MemoryDatabase`: what changes later is not in it.
struct MemorySnapshot: Snapshot {
    let moment: SnapshotMoment
    let schema: Schema
    let definition: SchemaDefinition

    private let database: MemoryDatabase
    private let engine: MemoryEngine
    private let connections: Turnstile

    init(
        of database: MemoryDatabase, _ request: SnapshotRequest, by engine: MemoryEngine
    ) throws {
        self.engine = engine
        connections = Turnstile(permits: request.connections)
        let schema = try Self.schema(of: database, request)
        let stored = Set((schema.tables.map(\.name) + schema.excluded))
        var inScope = database
        inScope.contents.removeAll { !stored.contains($0.table.name) }
        self.schema = schema
        self.database = inScope
        moment = SnapshotMoment(
            time: engine.time ?? .now, database: engine.source, defaultSchema: "public",
            serverVersion: "1.0",
            consistency: "copy", encoding: engine.encoding, identity: engine.identity,
            databaseProperties: [:])
        definition = SchemaDefinition(
            sql: inScope.definition, dump: Array("dump\n".utf8) + inScope.definition)
    }

    func parts(of table: Table) -> [TablePart] {
        let count = database[rows: table.name]?.count ?? 0
        return stride(from: 0, to: count, by: engine.rowsPerPart).map {
            TablePart(table: table.name, selection: "\($0)")
        }
    }

    func split(of table: Table, like split: String) -> String { table.split }

    func loss(ofIdentity parent: [String: String]) -> String? {
        engine.marks == nil ? "memory keeps no versions" : isOtherSource(than: parent)
    }

    func isOtherSource(than parent: [String: String]) -> String? {
        parent == moment.identity ? nil : "it is another memory"
    }

    func isOfOther(than parent: [String: String]) -> Bool { parent != moment.identity }

    func markedParts(of table: Table, by mark: RowMark) -> MarkedSelection<MarkedPart> {
        guard engine.marks != nil else { return .impossible("memory marks nothing") }
        return .parts(
            parts(of: table).map { part in
                func piece(_ word: String) -> TablePart {
                    TablePart(table: part.table, selection: "\(part.selection) \(word)")
                }
                return MarkedPart(keys: piece(Self.keys), rows: piece(Self.marked))
            })
    }

    private static let keys = "keys"
    private static let marked = "marked"

    /// What a reading of marked parts sees of some rows.
    private func seen(_ rows: some Sequence<[String?]>, _ part: TablePart) -> [[String?]] {
        guard let marks = engine.marks,
            let word = part.selection.split(separator: " ").dropFirst().first
        else { return Array(rows) }
        guard word == Self.keys else { return rows.filter { marks($0, true) } }
        let table = schema.tables.first { $0.name == part.table }
        let positions = table?.keyPositions ?? []
        return rows.map { row in
            let key = positions.map { row[$0] }
            return marks(row, false) ? [nil] + key.dropFirst() : key
        }
    }

    func rowsWithMarks(of table: Table, by mark: RowMark) -> MarkedSelection<TablePart> {
        .impossible("memory marks nothing")
    }

    func parts(of table: Table, keys: [[String]]) -> [TablePart] { [] }

    func kind(of column: Column) -> ColumnKind? { nil }

    func upkeep(of column: Column, in table: Table) async throws -> ColumnUpkeep {
        ColumnUpkeep(isNullable: true, hasDefault: false, isSetOnUpdate: false)
    }

    func bound(
        of column: ChangeColumn, maximum: String, overlap: Int,
        since parent: [String: String], at time: Timestamp
    ) async throws -> ColumnBound { .impossible("memory has no clock") }

    func read(_ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void)
        async throws
    {
        guard let rows = database[rows: part.table],
            let start = Int(part.selection.prefix { $0 != " " })
        else {
            throw BackupError(.serverRefused, "\(part.table) has no part \(part.selection)")
        }
        try await engine.beforeStep(.askForPart(part.table))
        try await connections.pass {
            let end = min(start + engine.rowsPerPart, rows.count)
            for row in stride(from: start, to: end, by: engine.rowsPerBatch) {
                try Task.checkCancellation()
                try await engine.beforeStep(.read(part.table, row: row))
                let batch = rows[row..<min(row + engine.rowsPerBatch, end)]
                try await sink(RowBatch(rows: seen(batch, part)))
            }
            try Task.checkCancellation()
        }
    }

    func sequences() async throws -> [SequenceValue] {
        try await engine.beforeStep(.readSequences)
        return engine.server[engine.source]?.sequences ?? []
    }

    func confirm() async throws {
        try await engine.beforeStep(.confirm)
    }

    func release() async {}

    private static func schema(
        of database: MemoryDatabase, _ request: SnapshotRequest
    ) throws -> Schema {
        var schema = Schema()
        for content in try contents(of: database, in: request.scope) {
            let name = content.table.name
            if database.unreadable.contains(name) {
                schema.unreadable.append(name)
            } else if request.excluded.contains(where: {
                $0.matches(name, defaultSchema: "public")
            }) {
                schema.excluded.append(name)
            } else {
                schema.tables.append(content.table)
            }
        }
        guard schema.unreadable.isEmpty || request.skipsUnreadable else {
            throw BackupError(.permissionDenied, "cannot read \(schema.unreadable)")
        }
        if request.scope != .database { schema.scopeObjects = schema.tables.map(\.identity.object) }
        return schema
    }

    private static func contents(
        of database: MemoryDatabase, in scope: Scope
    ) throws -> [MemoryDatabase.Content] {
        guard case .tables(let patterns) = scope else { return database.contents }
        for pattern in patterns {
            let isKnown = database.contents.contains {
                pattern.matches($0.table.name, defaultSchema: "public")
            }
            guard isKnown else {
                throw BackupError(.notFound, "no table is called \(pattern.text)")
            }
        }
        return database.contents.filter { content in
            patterns.contains { $0.matches(content.table.name, defaultSchema: "public") }
        }
    }
}
