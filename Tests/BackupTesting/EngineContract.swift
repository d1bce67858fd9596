import BackupCore

/// What every `Engine` promises.
///
/// Each check wants a fresh `EngineSubject`.
public enum EngineContract {
    /// All checks.
    public static let checks = reading + loading

    static let reading: [ContractCheck<EngineSubject>] = [
        ContractCheck("every row is in exactly one part") { subject in
            try await withSnapshot(of: subject) { snapshot in
                for table in snapshot.schema.tables {
                    let collector = RowCollector()
                    for part in snapshot.parts(of: table) {
                        try await snapshot.read(part) { try await collector.take($0) }
                    }
                    let expected = subject.sample.rows[table.name]?.sortedRows
                    try demand(await collector.sorted, equals: expected ?? [], "\(table.name)")
                }
                try await snapshot.confirm()
            }
        },
        ContractCheck("parts of all tables can be read side by side") { subject in
            try await withSnapshot(of: subject) { snapshot in
                let collector = RowCollector()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for part in snapshot.schema.tables.flatMap(snapshot.parts) {
                        group.addTask {
                            try await snapshot.read(part) { try await collector.take($0) }
                        }
                    }
                    try await group.waitForAll()
                }
                let expected = Array(subject.sample.rows.values.joined()).sortedRows
                try demand(await collector.sorted, equals: expected, "rows")
                try await snapshot.confirm()
            }
        },
        ContractCheck("a snapshot that was released is in nobody's way") { subject in
            try await withSnapshot(of: subject) { snapshot in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for part in snapshot.schema.tables.flatMap(snapshot.parts) {
                        group.addTask { try await snapshot.read(part) { _ in } }
                    }
                    try await group.waitForAll()
                }
                try await snapshot.confirm()
                await snapshot.release()
                try await subject.dropItems()
            }
        },
        ContractCheck("the schema names tables, columns and keys") { subject in
            try await withSnapshot(of: subject) { snapshot in
                let tables = snapshot.schema.tables.sorted { $0.name < $1.name }
                try demand(
                    tables.map(\.name), equals: subject.sample.rows.keys.sorted(), "tables")
                try demand(
                    tables.map { $0.storedColumns.map(\.name) },
                    equals: [["number"], ["number", "label"], ["word"]], "columns")
                try demand(tables.map(\.key), equals: [["number"], ["number"], []], "keys")
                try demand(!snapshot.definition.sql.isEmpty, "there is no definition")
            }
        },
        ContractCheck("a check of what can be backed up finds no problem") { subject in
            let check = try await subject.engine.check(SnapshotRequest(scope: .database))
            let problems = check.findings.filter { $0.severity == .problem }
            try demand(problems.map(\.text), equals: [], "problems")
            try await withSnapshot(of: subject) { snapshot in
                try demand(check.database, equals: snapshot.moment.database, "database")
            }
        },
        ContractCheck("a row added after the snapshot is not in it") { subject in
            try await withSnapshot(of: subject) { snapshot in
                try await subject.addLateRow()
                let rows = try await rows(of: subject.sample.items, in: snapshot)
                try demand(rows, equals: subject.sample.itemRows.sortedRows, "items")
            }
            try await withSnapshot(of: subject) { snapshot in
                let rows = try await rows(of: subject.sample.items, in: snapshot)
                try demand(rows.contains(subject.sample.lateRow), "the next snapshot lacks it")
            }
        },
        ContractCheck("sequences are as far as the rows") { subject in
            try await withSnapshot(of: subject) { snapshot in
                let sequences = try await snapshot.sequences()
                try demand(sequences, equals: [subject.sample.sequence], "sequences")
            }
        },
        ContractCheck("what a sink throws passes, and the snapshot goes on") { subject in
            try await withSnapshot(of: subject) { snapshot in
                let parts = parts(of: subject.sample.items, in: snapshot)
                for _ in 1...5 {
                    let error = try await demandError("read") {
                        try await snapshot.read(parts[0]) { _ in throw DeliberateFailure() }
                    }
                    try demand(error is DeliberateFailure, "another error: \(error)")
                }
                let rows = try await rows(of: subject.sample.items, in: snapshot)
                try demand(rows, equals: subject.sample.itemRows.sortedRows, "items")
                try await snapshot.confirm()
            }
        },
        ContractCheck("what the body of a snapshot throws passes") { subject in
            let error = try await demandError("snapshot") {
                try await withSnapshot(of: subject) { _ in throw DeliberateFailure() }
            }
            try demand(error is DeliberateFailure, "another error: \(error)")
        },
        ContractCheck("a cancelled read ends promptly, and the snapshot goes on") { subject in
            try await withSnapshot(of: subject) { snapshot in
                let part = parts(of: subject.sample.items, in: snapshot)[0]
                let began = ContinuousClock.now
                let reading = Task {
                    try await snapshot.read(part) { _ in try await Task.sleep(for: .seconds(1200)) }
                }
                try await Task.sleep(for: .milliseconds(100))
                reading.cancel()
                _ = try await demandError("read") { try await reading.value }
                try demand(began.duration(to: .now) < .seconds(300), "it took too long")
                let rows = try await rows(of: subject.sample.items, in: snapshot)
                try demand(rows, equals: subject.sample.itemRows.sortedRows, "items")
            }
        },
        ContractCheck("a cancelled task does not wait for a connection") { subject in
            try await withSnapshot(of: subject) { snapshot in
                let part = parts(of: subject.sample.items, in: snapshot)[0]
                let readers = (1...6).map { _ in
                    Task {
                        try await snapshot.read(part) { _ in
                            try await Task.sleep(for: .seconds(1200))
                        }
                    }
                }
                try await Task.sleep(for: .milliseconds(100))
                for reader in readers.reversed() {
                    reader.cancel()
                    _ = try await demandError("read") { try await reader.value }
                }
                let rows = try await rows(of: subject.sample.items, in: snapshot)
                try demand(rows, equals: subject.sample.itemRows.sortedRows, "items")
            }
        },
        ContractCheck("a scope of tables holds just them") { subject in
            let scope = Scope.tables([
                try TablePattern("wor*"), try TablePattern("\(subject.sample.empty)"),
            ])
            try await withSnapshot(of: subject, scope) { snapshot in
                try demand(
                    snapshot.schema.tables.map(\.name).sorted(),
                    equals: [subject.sample.empty, subject.sample.words], "tables")
            }
        },
        ContractCheck("an unknown table is refused by its name") { subject in
            let scope = Scope.tables([try TablePattern("items"), try TablePattern("itmes")])
            let error = try await demandError("snapshot") {
                try await withSnapshot(of: subject, scope) { _ in throw DeliberateFailure() }
            }
            let refusal = error as? BackupError
            try demand([.notFound, .usage].contains(refusal?.code), "another error: \(error)")
            try demand(refusal?.message.contains("itmes") == true, "no name: \(error)")
        },
        ContractCheck("rows of an excluded table are left out, not its structure") { subject in
            var request = SnapshotRequest(scope: .database)
            request.excluded = [try TablePattern("items")]
            try await subject.engine.withSnapshot(of: request) { snapshot in
                try demand(
                    snapshot.schema.tables.map(\.name).sorted(),
                    equals: [subject.sample.empty, subject.sample.words], "tables")
                try demand(snapshot.schema.excluded, equals: [subject.sample.items], "excluded")
                let sql = String(decoding: snapshot.definition.sql, as: UTF8.self)
                try demand(sql.contains("items"), "its structure is missing")
            }
        },
    ]

    // MARK: Steps

    static func withSnapshot<Result: Sendable>(
        of subject: EngineSubject, _ scope: Scope = .database,
        _ body: (any Snapshot) async throws -> Result
    ) async throws -> Result {
        var request = SnapshotRequest(scope: scope)
        request.connections = 3
        return try await subject.engine.withSnapshot(of: request, body)
    }

    static func parts(of name: TableName, in snapshot: any Snapshot) -> [TablePart] {
        snapshot.schema.tables.filter { $0.name == name }.flatMap(snapshot.parts)
    }

    static func rows(of name: TableName, in snapshot: any Snapshot) async throws -> [[String?]] {
        let collector = RowCollector()
        for part in parts(of: name, in: snapshot) {
            try await snapshot.read(part) { try await collector.take($0) }
        }
        return await collector.sorted
    }
}
