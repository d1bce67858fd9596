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
                try demand(began.duration(to: .now) < .seconds(20), "it took too long")
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
        ContractCheck("a sequence goes on where it stood") { subject in
            try await withTarget(of: subject) { target in
                _ = try await target.createIndexesAndConstraints()
                try await target.set([subject.sample.sequence])
                _ = try await target.finish()
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
            _ = try await subject.engine.withTarget(of: request) { try await $0.createStructure() }
            try await demandUnsuitable(request, subject)
            request.creates = false
            try await demandUnsuitable(request, subject)
        },
    ]

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
            try demand(await target.finish(), equals: [], "problems")
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
            try await subject.engine.withTarget(of: request) { _ in throw DeliberateFailure() }
        }
        try demand((error as? BackupError)?.code == .targetUnsuitable, "another error: \(error)")
    }

    private static func itemsLoad(_ subject: EngineSubject) -> TableLoad {
        TableLoad(table: subject.sample.items, loadsThrough: nil, columns: ["number", "label"])
    }

    /// A new target with the sample's structure.
    private static func withTarget(
        of subject: EngineSubject, _ body: (any Target) async throws -> Void
    ) async throws {
        var request = try await targetRequest(of: subject)
        request.creates = true
        request.connections = 3
        try await subject.engine.withTarget(of: request) { target in
            try demand(await target.createStructure(), equals: [], "problems")
            try await body(target)
        }
    }

    private static func targetRequest(of subject: EngineSubject) async throws -> TargetRequest {
        try await withSnapshot(of: subject) { snapshot in
            let moment = snapshot.moment
            return TargetRequest(
                database: subject.target, definition: snapshot.definition,
                sourceVersion: moment.serverVersion, encoding: moment.encoding,
                databaseProperties: moment.databaseProperties)
        }
    }
}
