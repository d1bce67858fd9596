import BackupCore

/// A database of `MemoryServer` that rows are loaded into.
struct MemoryTarget: Target {
    private let request: TargetRequest
    private let engine: MemoryEngine

    init(_ request: TargetRequest, by engine: MemoryEngine) {
        self.request = request
        self.engine = engine
    }

    func createStructure() async throws -> [String] {
        try await engine.beforeStep(.createStructure)
        engine.server[request.database] = try MemoryDatabase(definition: request.definition.sql)
        return []
    }

    func mustLoadFirst(_ table: TableName) -> Bool { table.name == "first" }

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
        _ load: TableLoad, _ next: @Sendable () async throws -> RowBatch?
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

    func createIndexesAndConstraints() async throws -> [String] {
        try await engine.beforeStep(.createIndexes)
        try engine.server.change(request.database) { $0.hasIndexes = true }
        return request.lacksRows || request.lacksTables ? ["a foreign key"] : []
    }

    func set(_ sequences: [SequenceValue]) async throws {
        try await engine.beforeStep(.setSequences)
        try engine.server.change(request.database) { $0.sequences = sequences }
    }

    var leftOut: [String] { [] }

    func refresh(_ views: [MaterializedView]) async throws -> [String] { [] }

    func analyze() async throws -> [String] { [] }

    func finish() async throws -> [String] {
        try await engine.beforeStep(.finish)
        return []
    }
}
