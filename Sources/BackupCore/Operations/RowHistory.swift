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
        /// Its fields; nil when it is gone.
        public let fields: [String?]?
    }

    /// The events of one row, the oldest first.
    ///
    /// `key`: One CSV record of the key's columns, in key order.
    /// `database`, `engine`: As `RepositoryContents.points(of:engine:)` takes them.
    /// - Throws: `BackupError.notFound` when no point has the table; `BackupError.usage` for a key
    ///   that does not fit; `BackupError.damaged`.
    public func run(
        _ pattern: TablePattern, key: String, database: String?, engine: String? = nil,
        progress: OperationProgress
    ) async throws -> [Event] {
        let contents = try await repository.contents()
        let points = try contents.points(of: database, engine: engine)
        var nearest: BackupError?
        var events: [Event] = []
        var reads: [String: Found] = [:]
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
            let record: TableRecord
            do {
                record = try point.metadata.table(matching: pattern)
            } catch let error as BackupError where error.code == .notFound {
                nearest = nearest ?? error
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
            let fields = try await find(key, record, chain, &reads, progress)
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
        _ key: String, _ record: TableRecord, _ chain: Chain, _ reads: inout [String: Found],
        _ progress: OperationProgress
    ) async throws -> [String?]? {
        guard !record.key.isEmpty else {
            throw BackupError(
                .usage, "\(record.tableName) has no key in \(chain.point.id)",
                hint: "Without a key nobody can say which row is which.")
        }
        let bytes = try Self.keyBytes(key, record)
        let reader = try PointReader(chain, in: repository)
        for layer in try chain.layers(of: record) {
            let place = "\(layer.point.folder)/\(record.tableName)"
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

    private static func keyBytes(_ key: String, _ record: TableRecord) throws -> [UInt8] {
        let fields: [String?]
        do {
            fields = try CSVDialect.fields(of: Array(key.utf8))
        } catch is BackupError {
            throw BackupError(.usage, "the key is no CSV record: \(key)")
        }
        guard fields.count == record.key.count, !fields.contains(where: { $0 == nil }) else {
            throw BackupError(
                .usage,
                "the key of \(record.tableName) has \(record.key.count) columns: "
                    + record.key.joined(separator: ","),
                hint: "Write them as one CSV record: 17 or 17,\"a, b\".")
        }
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
