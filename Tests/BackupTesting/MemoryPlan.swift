import BackupCore

/// What a `MemoryEngine` would do with a database.
struct MemoryPlan {
    let plan: TargetPlan

    init(_ request: TargetRequest, on server: MemoryServer) throws {
        var plan = TargetPlan()
        let database = server[request.database]
        switch (database, request.creates) {
        case (nil, true): plan.createsDatabase = true
        case (nil, false):
            throw BackupError(.targetUnsuitable, "there is no database \(request.database)")
        case (.some, true):
            throw BackupError(.targetUnsuitable, "database \(request.database) is there already")
        case (let database?, false):
            let isAnything =
                request.patterns.isEmpty && request.existing == nil && !request.drops
                && request.content != .rows
            guard database.contents.isEmpty || !isAnything else {
                throw BackupError(
                    .targetUnsuitable, "database \(request.database) is not empty")
            }
        }
        for stored in try Self.selection(request) {
            try Self.decide(stored, request, database ?? MemoryDatabase(), &plan)
        }
        self.plan = plan
    }

    private static func selection(_ request: TargetRequest) throws -> [StoredTable] {
        guard !request.patterns.isEmpty else { return request.storedTables }
        let chosen = request.storedTables.filter { stored in
            request.patterns.contains {
                $0.matches(stored.load.table, defaultSchema: request.defaultSchema)
            }
        }
        guard !chosen.isEmpty else { throw BackupError(.usage, "the backup has no such table") }
        return chosen
    }

    private static func decide(
        _ stored: StoredTable, _ request: TargetRequest, _ database: MemoryDatabase,
        _ plan: inout TargetPlan
    ) throws {
        var load = stored.load
        if let name = request.newName?.literal {
            load.table = TableName(schema: name.schema ?? load.table.schema, name: name.name)
        }
        let exists = database[rows: load.table] != nil
        var treatment = TargetPlan.Treatment.create
        if exists, request.drops {
            plan.drops.append(.init(kind: "TABLE", name: "\(load.table)"))
        } else if exists {
            switch request.existing ?? .fail {
            case .fail where request.content != .rows:
                throw BackupError(.targetUnsuitable, "there is a table \(load.table) already")
            case .fail, .append: treatment = .append
            case .truncate: treatment = .truncate
            }
        }
        if treatment == .create {
            plan.creates.append(.init(kind: "TABLE", name: "\(load.table)"))
        }
        guard request.content != .structure else { return }
        plan.tables[stored.load.table] = .init(treatment, load)
    }
}
