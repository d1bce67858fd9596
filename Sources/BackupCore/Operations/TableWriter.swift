import Packing

/// Writes every table of a backup: whole, or what has changed.
struct TableWriter: Sendable {
    let snapshot: any Snapshot
    let folder: BackupFolder
    let plan: BackupPlan
    let repository: Repository
    let connections: Int
    let progress: OperationProgress
    /// Joins of large tables take memory: one at a time, over all connections.
    private let largeJoins = Turnstile(permits: 1)
    private static let largeBytes = 64 << 20

    init(
        snapshot: any Snapshot, folder: BackupFolder, plan: BackupPlan, repository: Repository,
        connections: Int, progress: OperationProgress
    ) {
        self.snapshot = snapshot
        self.folder = folder
        self.plan = plan
        self.repository = repository
        self.connections = connections
        self.progress = progress
    }

    /// Largest tables first; one more table is begun than there are connections, so that finishing
    /// a file never keeps a connection waiting.
    func writeAll() async throws -> [TableRecord] {
        let parent = try plan.layer.map { try PointReader($0.parent, in: repository) }
        return try await withThrowingTaskGroup(of: TableRecord.self) { group in
            var records = droppedTables
            for (index, table) in plan.tables.enumerated() {
                if index > connections, let record = try await group.next() {
                    records.append(record)
                }
                group.addTask { try await write(table, since: parent) }
            }
            for try await record in group { records.append(record) }
            return records.sorted { $0.tableName < $1.tableName }
        }
    }

    /// What the parent has and the source has not any more.
    private var droppedTables: [TableRecord] {
        let names = Set(plan.tables.map(\.name))
        return plan.layer?.parent.point.metadata.currentTables
            .filter { !names.contains($0.tableName) }.map(\.dropped) ?? []
    }

    private func write(_ table: Table, since parent: PointReader?) async throws -> TableRecord {
        guard let layer = plan.layer, let parent else { return try await writeWhole(table) }
        let treatment = layer.treatment(of: table)
        switch treatment.way {
        case .whole:
            return try await writeWhole(table, because: treatment.reason)
        case .wholeIfDifferent(let before):
            return try await writeIfDifferent(table, from: before, because: treatment.reason)
        case .changes(let before, let basis):
            let changes = TableChanges(
                snapshot: snapshot, folder: folder, plan: plan, layer: layer, parent: parent,
                connections: connections, progress: progress)
            let isLarge = table.estimatedBytes >= Self.largeBytes
            func write() async throws -> (record: TableRecord?, reason: String) {
                try await changes.write(table, since: before, by: basis, treatment)
            }
            let (record, reason) =
                isLarge ? try await largeJoins.pass(write) : try await write()
            if let record { return record }
            return try await writeWhole(table, because: reason)
        }
    }

    // MARK: Whole

    private func writeWhole(_ table: Table, because reason: String? = nil) async throws
        -> TableRecord
    {
        guard var record = try await writeRows(of: table, keeps: { _ in true }) else {
            preconditionFailure("every table is kept")
        }
        record.reason = reason
        return record
    }

    private func writeIfDifferent(
        _ table: Table, from before: TableRecord, because reason: String
    ) async throws -> TableRecord {
        let written = try await writeRows(of: table) {
            StoredFingerprint($0) != before.fingerprint
        }
        var record =
            written ?? TableRecord(table, mode: .unchanged, fingerprint: before.fingerprint)
        if written == nil { record.csvBytes = before.csvBytes }
        record.basis = Basis.compare.rawValue
        record.reason = reason
        return record
    }

    private func writeRows(
        of table: Table, keeps: @Sendable (Fingerprint) -> Bool
    ) async throws -> TableRecord? {
        let name = plan.fileNames[table.name] ?? ""
        let isLayer = plan.layer != nil
        let keyPositions = isLayer ? [] : table.keyPositions
        let parts = snapshot.parts(of: table)
        let estimate = table.estimatedBytes / max(1, parts.count)
        var record = try await folder.writeTable(
            table,
            to: isLayer
                ? RepositoryLayout.changesFile(name, packing: plan.packing)
                : RepositoryLayout.dataFile(name, packing: plan.packing),
            index: keyPositions.isEmpty ? nil : RepositoryLayout.indexFile(name),
            packing: plan.packing, keeps: keeps
        ) { file in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, part) in parts.enumerated() {
                    // Bounded: a table can have more parts than tasks should wait for a connection.
                    if index > connections { try await group.next() }
                    group.addTask {
                        let encoder = Exclusive(
                            try BatchEncoder(
                                seed: plan.hashSeed, packing: plan.packing,
                                keyPositions: keyPositions, part: index))
                        let read = Exclusive(0)
                        try await snapshot.read(part) { batch in
                            let encoded = try encoder.withValue { try $0.encode(batch) }
                            try await file.append(encoded)
                            progress.add(rows: batch.count, bytes: encoded.csvBytes)
                            read.withValue { $0 += encoded.csvBytes }
                        }
                        // What the server stores is rarely as large as its text.
                        progress.correctTotal(by: read.withValue { $0 } - estimate)
                    }
                }
                try await group.waitForAll()
            }
        }
        if !keyPositions.isEmpty { record?.split = table.split }
        return record
    }
}
