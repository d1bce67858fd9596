/// Every version of one row over the points of a database: when it appeared, changed, went.
public struct RowHistory: Sendable {
    private let repository: Repository

    /// The history of rows in a repository.
    public init(repository: Repository) { self.repository = repository }

    /// What a point says of the row, where that is not what the point before it said.
    public struct Event: Sendable {
        /// What happened to the row since the point before.
        public enum Kind: String, Sendable {
            /// It is there now.
            case appeared
            /// It has other values.
            case changed
            /// It is not there any more.
            case went
            /// The table is not there any more.
            case tableWent = "table went"
            /// The table has another key: who has this one now need not be who had it.
            case keyChanged = "key changed"
        }

        /// The backup that shows it.
        public let point: Point
        /// What happened.
        public let kind: Kind
        /// The names of the row's columns.
        public let columns: [String]
        /// Its fields; nil when it is gone, or when no row has a key of this kind any more.
        public let fields: [String?]?
    }

    /// The events of one row, the oldest first.
    ///
    /// Points at which the table's key has another number of columns, or none, say nothing of the row.
    ///
    /// `key`: One CSV record of the key's columns, in key order.
    /// `database`, `engine`: As `RepositoryContents.points(of:engine:)` takes them.
    /// - Throws: `BackupError.usage` when no point has the table, and for a key that fits at none;
    ///   `BackupError.damaged`.
    public func run(
        _ pattern: TablePattern, key: String, database: String?, engine: String? = nil,
        progress: OperationProgress
    ) async throws -> [Event] {
        let keyFields = try Self.fields(ofKey: key)
        let contents = try await repository.contents()
        let points = try contents.points(of: database, engine: engine)
        var nearest: BackupError?
        var (misfit, hasFitted): (BackupError?, Bool) = (nil, false)
        var events: [Event] = []
        var reads: [ExactText: Found] = [:]
        var last: (columns: [String], fields: [String?])?
        var lastTable: TableName?
        var lastKey: [ExactText]?
        var hadTable = false
        let broken = contents.brokenPoints()
        progress.begin("looking for the row")
        for point in points {
            try Task.checkCancellation()
            if broken.contains(point.id) {
                progress.note("warning: \(point.id) is left out: what it rests on is missing")
                continue
            }
            let chain = try contents.chain(of: point)
            guard let record = try point.metadata.tableIfThere(matching: pattern) else {
                nearest = nearest ?? point.metadata.hasNo(pattern)
                // What was not asked for need not be gone.
                if let lastTable, point.metadata.mayLack(lastTable) { continue }
                if last != nil {
                    events.append(Event(point: point, kind: .tableWent, columns: [], fields: nil))
                }
                last = nil
                continue
            }
            hadTable = true
            lastTable = record.tableName
            var fields: [String?]?
            if let misfitHere = Self.misfit(keyFields, record, in: point) {
                // The newest point's is the key of today.
                misfit = misfitHere
            } else {
                hasFitted = true
                fields = try await find(keyFields, record, chain, &reads, progress)
            }
            let now = fields.map { (record.storedColumns, $0) }
            let tableKey = record.key.map(ExactText.init)
            defer { lastKey = tableKey }
            if let lastKey, lastKey != tableKey, last != nil || now != nil {
                events.append(
                    Event(
                        point: point, kind: .keyChanged, columns: record.storedColumns,
                        fields: fields))
            } else if let kind = Self.kind(from: last, to: now) {
                events.append(
                    Event(point: point, kind: kind, columns: record.storedColumns, fields: fields))
            }
            last = now
        }
        guard hadTable else {
            throw nearest ?? BackupError(.notFound, "the repository holds no backup")
        }
        if let misfit, !hasFitted { throw misfit }
        return events
    }

    private static func kind(
        from last: (columns: [String], fields: [String?])?,
        to now: (columns: [String], fields: [String?])?
    ) -> Event.Kind? {
        switch (last, now) {
        case (nil, nil): nil
        case (nil, _?): .appeared
        case (_?, nil): .went
        case (let last?, let now?):
            last.fields.map { $0.map(ExactText.init) } == now.fields.map { $0.map(ExactText.init) }
                && last.columns.map(ExactText.init) == now.columns.map(ExactText.init)
                ? nil : .changed
        }
    }

    /// What one file says of the row.
    fileprivate enum Found {
        case row([String?])
        case gone
        case nothing
    }

    private func find(
        _ key: [String?], _ record: TableRecord, _ chain: Chain,
        _ reads: inout [ExactText: Found], _ progress: OperationProgress
    ) async throws -> [String?]? {
        let bytes = Self.bytes(ofKey: key)
        let reader = try PointReader(chain, in: repository)
        for layer in try chain.layers(of: record) {
            let place = ExactText("\(layer.point.folder)/\(record.tableName)")
            let known = reads[place]
            let found: Found
            if let known {
                found = known
            } else {
                found = try await reader.find(bytes, in: layer, progress)
                reads[place] = found
            }
            switch found {
            case .row(let fields): return fields
            case .gone: return nil
            case .nothing: continue
            }
        }
        return nil
    }

    private static func fields(ofKey key: String) throws -> [String?] {
        do {
            return try CSVDialect.fields(of: Array(key.utf8))
        } catch is BackupError {
            throw BackupError(.usage, "the key is no CSV record: \(key)")
        }
    }

    /// Why no row of the table can have this key at a point; nil when one can.
    private static func misfit(
        _ fields: [String?], _ record: TableRecord, in point: Point
    ) -> BackupError? {
        guard !record.key.isEmpty else {
            return BackupError(
                .usage, "\(record.tableName) has no key in \(point.id)",
                hint: "Without a key nobody can say which row is which.")
        }
        guard fields.count == record.key.count, !fields.contains(where: { $0 == nil }) else {
            return BackupError(
                .usage,
                "the key of \(record.tableName) has \(record.key.count) columns: "
                    + record.key.joined(separator: ","),
                hint: record.key.count == 1
                    ? "Write it as a CSV record has it: 17 or \"a, b\"."
                    : "Write all of them as one CSV record: 17,\"a, b\" for a key of two columns.")
        }
        return nil
    }

    private static func bytes(ofKey fields: [String?]) -> [UInt8] {
        var reader = KeyReader(positions: Array(fields.indices))
        var bytes: [UInt8] = []
        CSVDialect.record(fields).dropLast().withUnsafeBytes {
            reader.appendKey(of: $0, to: &bytes)
        }
        return bytes
    }
}

extension PointReader {
    /// Looks for one row in what a layer holds of its table.
    fileprivate func find(
        _ key: [UInt8], in layer: TableLayer, _ progress: OperationProgress
    ) async throws -> RowHistory.Found {
        try await withFiles(of: layer) { rows, tombstones in
            // Everything is read, for what is shown must be proven.
            var found: RowHistory.Found = layer.record.mode == .whole ? .gone : .nothing
            var keys = RowKeys(positions: layer.record.keyPositions, seed: seed)
            while let batch = try await rows?.next() {
                progress.add(rows: batch.count, bytes: batch.bytes.count)
                try Task.checkCancellation()
                let block = keys.block(of: batch)
                for index in 0..<block.count where block.key(index).elementsEqual(key) {
                    found = .row(try CSVDialect.fields(of: batch.recordSlices[index]))
                }
            }
            var gone = RowKeys(positions: Array(layer.record.key.indices), seed: seed)
            while let batch = try await tombstones?.next() {
                let block = gone.block(of: batch)
                for index in 0..<block.count where block.key(index).elementsEqual(key) {
                    found = .gone
                }
            }
            return found
        }
    }
}
