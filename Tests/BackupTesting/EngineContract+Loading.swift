import BackupCore

/// What every `Target` promises.
extension EngineContract {
    static let loading: [ContractCheck<EngineSubject>] = [
        ContractCheck("one connection loads exactly the rows") { subject in
            try await checkLoading(subject, connections: 1)
        },
        ContractCheck("several connections load exactly the rows") { subject in
            try await checkLoading(subject, connections: 3)
        },
        ContractCheck("rows that are refused leave the table empty, for another try") { subject in
            try await withTarget(of: subject) { target in
                let load = itemsLoad(subject)
                for connections in [1, 3, 1] {
                    let error = try await demandError("load") {
                        try await target.load(
                            load, connections: connections,
                            next: BatchQueue(subject.sample.itemRows).next
                        ) { _ in throw DeliberateFailure() }
                    }
                    try demand(error is DeliberateFailure, "another error: \(error)")
                    try demand(await subject.targetRows(load.table), equals: [], "rows")
                }
                try await loadItems(of: subject, into: target, 3)
            }
            try await demandItems(subject)
        },
        ContractCheck("rows that stop coming leave the table empty") { subject in
            try await withTarget(of: subject) { target in
                let load = itemsLoad(subject)
                for connections in [1, 3] {
                    let queue = BatchQueue(subject.sample.itemRows, failsAfter: 3)
                    let error = try await demandError("load") {
                        try await target.load(load, connections: connections, next: queue.next) {
                            _ in
                        }
                    }
                    try demand(error is DeliberateFailure, "another error: \(error)")
                    try demand(await subject.targetRows(load.table), equals: [], "rows")
                }
                try await loadItems(of: subject, into: target, 1)
            }
            try await demandItems(subject)
        },
        ContractCheck("a cancelled load ends promptly and leaves the table empty") { subject in
            try await withTarget(of: subject) { target in
                let load = itemsLoad(subject)
                let queue = BatchQueue(subject.sample.itemRows, stallsAfter: 3)
                let began = ContinuousClock.now
                let loading = Task {
                    try await target.load(load, connections: 2, next: queue.next) { _ in }
                }
                try await Task.sleep(for: .milliseconds(200))
                loading.cancel()
                _ = try await demandError("load") { try await loading.value }
                try demand(began.duration(to: .now) < .seconds(300), "it took too long")
                try demand(await subject.targetRows(load.table), equals: [], "rows")
                try await loadItems(of: subject, into: target, 2)
            }
            try await demandItems(subject)
        },
        ContractCheck("a row that does not fit is refused by the server") { subject in
            try await withTarget(of: subject) { target in
                let load = itemsLoad(subject)
                let error = try await demandError("load") {
                    let rows = [["1", "one"], ["2", "two", "too many"]]
                    try await target.load(load, connections: 1, next: BatchQueue(rows).next) { _ in
                    }
                }
                try demand((error as? BackupError)?.code == .serverRefused, "\(error)")
                try demand(await subject.targetRows(load.table), equals: [], "rows")
            }
        },
        ContractCheck("the steps that follow rows are counted from none to all") { subject in
            let seen = Exclusive<[StepProgress]>([])
            try await withTarget(of: subject) {
                $0.steps = { step in seen.withValue { $0.append(step) } }
            } _: { target in
                seen.withValue { $0 = [] }
                _ = try await target.createIndexesAndConstraints()
            }
            let steps = seen.withValue { $0 }
            let total = steps.last?.total ?? 0
            try demand(total > 0, "no step was told")
            try demand(steps.last?.done, equals: total, "steps done in the end")
            let counts = steps.filter { $0.total > 0 }.map(\.done)
            try demand(counts == counts.sorted(), "steps went back: \(counts)")
            try demand(counts.allSatisfy { $0 <= total }, "more than all: \(counts)")
        },
        ContractCheck("a sequence goes on where it stood") { subject in
            try await withTarget(of: subject) { target in
                _ = try await target.createIndexesAndConstraints()
                try await target.set([subject.sample.sequence])
                _ = try await target.switchOn()
                try await target.finish()
            }
            let expected = subject.sample.sequence
            let name = TableName(schema: expected.schema, name: expected.name)
            try demand(await subject.targetSequence(name), equals: expected, "the sequence")
        },
        ContractCheck("a database that is missing or not empty is refused") { subject in
            var request = try await targetRequest(of: subject)
            request.creates = false
            try await demandUnsuitable(request, subject)
            request.creates = true
            try await makeEmptyTables(request, subject)
            try await demandUnsuitable(request, subject)
            request.creates = false
            try await demandUnsuitable(request, subject)
        },
        ContractCheck("a plan that is not approved changes nothing") { subject in
            var request = try await targetRequest(of: subject)
            request.creates = true
            let made: Bool? = try await subject.engine.withTarget(of: request) { plan in
                try demand(plan.createsDatabase, "no database would be created")
                try demand(
                    plan.tables.keys.sorted(), equals: subject.sample.rows.keys.sorted(), "tables")
                return false
            } _: { _ in
                true
            }
            try demand(made == nil, "the body ran")
            request.creates = false
            try await demandUnsuitable(request, subject)
        },
        ContractCheck("tables that exist are replaced or added to, all or none") { subject in
            var request = try await targetRequest(of: subject)
            request.creates = true
            try await makeEmptyTables(request, subject)
            request.creates = false
            for (existing, failing, count) in [
                (ExistingTables.append, false, 1), (.append, true, 1), (.append, false, 2),
                (.truncate, true, 2), (.truncate, false, 1),
            ] {
                request.existing = existing
                try await change(request, subject, failing: failing)
                let expected = (0..<count).flatMap { _ in subject.sample.wordRows }
                try demand(
                    await subject.targetRows(subject.sample.words).sortedRows,
                    equals: expected.sortedRows, "words after \(existing), failing: \(failing)")
            }
        },
        ContractCheck("a table that exists is refused when nobody said what becomes of it") {
            subject in
            var request = try await targetRequest(of: subject)
            request.creates = true
            try await makeEmptyTables(request, subject)
            request.creates = false
            request.patterns = [try TablePattern("\(subject.sample.words)")]
            try await demandUnsuitable(request, subject)
        },
        ContractCheck("rows are read back as they are stored") { subject in
            try await withTarget(of: subject) { target in
                try await loadItems(of: subject, into: target, 2)
                let collector = RowCollector()
                for part in try await target.parts(of: itemsLoad(subject)) {
                    try await target.read(part) { try await collector.take($0) }
                }
                try demand(
                    await collector.sorted, equals: subject.sample.itemRows.sortedRows, "items")
            }
        },
    ]

    /// A database with the sample's tables and no rows, finished.
    private static func makeEmptyTables(
        _ request: TargetRequest, _ subject: EngineSubject
    ) async throws {
        _ = try await subject.engine.withTarget(of: request, approves: { _ in true }) { target in
            _ = try await target.createStructure()
            _ = try await target.createIndexesAndConstraints()
            _ = try await target.switchOn()
            try await target.finish()
        }
    }

    private static func change(
        _ request: TargetRequest, _ subject: EngineSubject, failing: Bool
    ) async throws {
        do {
            _ = try await subject.engine.withTarget(of: request, approves: { _ in true }) {
                target in
                try await target.changeExistingTables { load in
                    let words = TableLoad(
                        table: subject.sample.words, loadsThrough: nil, columns: ["word"])
                    let count = try await load(words, BatchQueue(subject.sample.wordRows).next)
                    try demand(count, equals: subject.sample.wordRows.count, "the server's count")
                    if failing { throw DeliberateFailure() }
                }
                try demand(await target.switchOn(), equals: [], "problems")
                try await target.finish()
            }
        } catch is DeliberateFailure where failing {
            return
        }
    }

    // MARK: Steps

    private static func checkLoading(_ subject: EngineSubject, connections: Int) async throws {
        try await withTarget(of: subject) { target in
            try await loadItems(of: subject, into: target, connections)
            let words = TableLoad(
                table: subject.sample.words, loadsThrough: nil, columns: ["word"])
            try await target.load(
                words, connections: connections, next: BatchQueue(subject.sample.wordRows).next
            ) { count in
                try demand(count, equals: subject.sample.wordRows.count, "the server's count")
            }
            let empty = TableLoad(
                table: subject.sample.empty, loadsThrough: nil, columns: ["number"])
            try await target.load(empty, connections: connections, next: { nil }) { count in
                try demand(count, equals: 0, "the server's count")
            }
            try demand(await target.createIndexesAndConstraints(), equals: [], "problems")
            try demand(await target.analyze(), equals: [], "statistics")
            try demand(await target.switchOn(), equals: [], "problems")
            try await target.finish()
        }
        try await demandItems(subject)
        for (table, rows) in subject.sample.rows {
            let found = try await subject.targetRows(table)
            try demand(found.sortedRows, equals: rows.sortedRows, "\(table)")
        }
    }

    private static func loadItems(
        of subject: EngineSubject, into target: any Target, _ connections: Int
    ) async throws {
        try await target.load(
            itemsLoad(subject), connections: connections,
            next: BatchQueue(subject.sample.itemRows).next
        ) { count in
            try demand(count, equals: subject.sample.itemRows.count, "the server's count")
        }
    }

    private static func demandItems(_ subject: EngineSubject) async throws {
        let found = try await subject.targetRows(subject.sample.items).sortedRows
        try demand(found, equals: subject.sample.itemRows.sortedRows, "items")
    }

    private static func demandUnsuitable(
        _ request: TargetRequest, _ subject: EngineSubject
    ) async throws {
        let error = try await demandError("target") {
            try await subject.engine.withTarget(of: request, approves: { _ in true }) { _ in
                throw DeliberateFailure()
            }
        }
        try demand((error as? BackupError)?.code == .targetUnsuitable, "another error: \(error)")
    }

    private static func itemsLoad(_ subject: EngineSubject) -> TableLoad {
        TableLoad(table: subject.sample.items, loadsThrough: nil, columns: ["number", "label"])
    }

    /// A new target with the sample's structure.
    private static func withTarget(
        of subject: EngineSubject, changing: (inout TargetRequest) -> Void = { _ in },
        _ body: (any Target) async throws -> Void
    ) async throws {
        var request = try await targetRequest(of: subject)
        changing(&request)
        request.creates = true
        request.connections = 3
        _ = try await subject.engine.withTarget(of: request, approves: { _ in true }) { target in
            try demand(await target.createStructure(), equals: [], "problems")
            try await body(target)
        }
    }

    private static func targetRequest(of subject: EngineSubject) async throws -> TargetRequest {
        try await withSnapshot(of: subject) { snapshot in
            let moment = snapshot.moment
            var request = TargetRequest(
                database: subject.target, definition: snapshot.definition,
                sourceVersion: moment.serverVersion, encoding: moment.encoding,
                databaseProperties: moment.databaseProperties)
            request.defaultSchema = moment.defaultSchema
            request.storedTables = snapshot.schema.tables.map { table in
                StoredTable(
                    object: table.identity.object,
                    load: TableLoad(
                        table: table.name, loadsThrough: table.loadsThrough,
                        columns: table.storedColumns.map(\.name)))
            }
            return request
        }
    }
}
