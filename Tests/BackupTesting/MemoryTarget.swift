import BackupCore

/// A database of `MemoryServer` that rows are loaded into.
struct MemoryTarget: Target {
    private let request: TargetRequest
    private let engine: MemoryEngine
    let plan: TargetPlan

    init(_ request: TargetRequest, _ plan: TargetPlan, by engine: MemoryEngine) {
        self.request = request
        self.plan = plan
        self.engine = engine
    }

    func createStructure() async throws -> [String] {
        try await engine.beforeStep(.createStructure)
        let made = try MemoryDatabase(definition: request.definition.sql).contents
        let renamed = plan.tables.mapValues(\.load.table)
        try engine.server.change(request.database) { database in
            for content in made {
                var content = content
                let name = content.table.name
                content.table.name = renamed[name] ?? name
                guard plan.creates.contains(where: { $0.name == "\(content.table.name)" })
                else { continue }
                database.contents.append(content)
            }
        }
        return []
    }

    /// `first`, `second`.
    func tablesInFront() async throws -> [TableName] {
        plan.tables.keys.filter { ["first", "second"].contains($0.name) }.sorted()
    }

    func load(
        _ load: TableLoad, connections: Int,
        next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (_ rowCount: Int) async throws -> Void
    ) async throws {
        let rows = try await withThrowingTaskGroup(of: [[String?]].self) { group in
            for _ in 0..<max(1, connections) {
                group.addTask { try await take(load, next) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try await agrees(rows.count + engine.countError)
        try await engine.beforeStep(.commit(load.table))
        try engine.server.change(request.database) {
            guard let known = $0[rows: load.loadsThrough ?? load.table] else {
                throw BackupError(.serverRefused, "there is no table \(load.table)")
            }
            $0[rows: load.loadsThrough ?? load.table] = known + rows
        }
    }

    private func take(
        _ load: TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?
    ) async throws -> [[String?]] {
        var rows: [[String?]] = []
        while let batch = try await next() {
            try await engine.beforeStep(.load(load.table, rows: batch.count))
            rows += try batch.records.map { record in
                let fields = load.columns.isEmpty ? [] : try CSVDialect.fields(of: record)
                guard fields.count == load.columns.count else {
                    throw BackupError(.serverRefused, "a row has \(fields.count) fields")
                }
                return fields
            }
        }
        return rows
    }

    func changeExistingTables(
        _ body: (
            _ load: (TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?)
                async throws -> Int
        ) async throws -> Void
    ) async throws {
        let changed = Exclusive(engine.server[request.database] ?? MemoryDatabase())
        for table in plan.tables.values where table.treatment == .truncate {
            changed.withValue { $0[rows: table.load.place] = [] }
        }
        try await body { load, next in
            let rows = try await take(load, next)
            changed.withValue { $0[rows: load.place] = ($0[rows: load.place] ?? []) + rows }
            return rows.count + engine.countError
        }
        try await engine.beforeStep(.commitExisting)
        engine.server[request.database] = changed.withValue { $0 }
    }

    func createIndexesAndConstraints() async throws -> [String] {
        request.steps(StepProgress(done: 0, total: 1, current: .init("indexes")))
        try await engine.beforeStep(.createIndexes)
        request.steps(StepProgress(done: 1, total: 1))
        try engine.server.change(request.database) { $0.hasIndexes = true }
        return request.lacksRows || request.lacksTables ? ["a foreign key"] : []
    }

    func set(_ sequences: [SequenceValue]) async throws {
        try await engine.beforeStep(.setSequences)
        try engine.server.change(request.database) { $0.sequences = sequences }
    }

    func parts(of load: TableLoad) async throws -> [TablePart] {
        [TablePart(table: load.place, selection: "")]
    }

    func read(
        _ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void
    ) async throws {
        try await engine.beforeStep(.readBack(part.table))
        let rows = engine.server[request.database]?[rows: part.table] ?? []
        if !rows.isEmpty { try await sink(RowBatch(rows: rows)) }
    }

    func refresh(_ views: [MaterializedView]) async throws -> [String] { [] }

    func analyze() async throws -> [String] { [] }

    func switchOn() async throws -> [String] { [] }

    func finish() async throws { try await engine.beforeStep(.finish) }
}
