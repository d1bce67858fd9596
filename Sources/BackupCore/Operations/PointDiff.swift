import Packing

/// What differs between two points: per table the rows that were added, changed and deleted.
///
/// Tables with equal fingerprints are not read. The others are joined as a differential is, the
/// older point's keys from its row index.
public struct PointDiff: Sendable {
    private let repository: Repository
    private let old: PointReader
    private let new: PointReader

    /// The difference from one point to another, of one chain or two.
    public init(from old: Chain, to new: Chain, in repository: Repository) throws {
        self.repository = repository
        self.old = try PointReader(old, in: repository)
        self.new = try PointReader(new, in: repository)
    }

    /// What differs of one table.
    public struct TableDifference: Sendable {
        /// The table.
        public let table: TableName
        /// Its rows that are new.
        public var added = 0
        /// Its rows that have other values.
        public var changed = 0
        /// Its rows that are gone.
        public var deleted = 0
        /// What else is different, for people; nil when only rows are.
        public var note: String?
    }

    /// One row that differs.
    public struct RowDifference: Sendable {
        /// The table, as the newer point has it, or the older where it is gone.
        public let record: TableRecord
        /// Its fields before; nil for a row that is new.
        public let old: [String?]?
        /// Its fields now; nil for a row that is gone.
        public let new: [String?]?
    }

    /// Finds what differs, table by table in order of names.
    ///
    /// `rows`: Gets each row that differs; nil when only numbers are wanted.
    /// - Throws: `BackupError.usage` when `patterns` mean no table; `BackupError.damaged`; whatever `rows` throws.
    public func run(
        tables patterns: [TablePattern] = [], progress: OperationProgress,
        rows: (@Sendable (RowDifference) async throws -> Void)? = nil
    ) async throws -> [TableDifference] {
        let before = try selected(patterns, old)
        let after = try selected(patterns, new)
        let known = patterns.isEmpty || !(before.isEmpty && after.isEmpty)
        guard known else {
            throw BackupError(.usage, "neither backup has a table of that name")
        }
        progress.begin("comparing", totalBytes: Array(after.values).csvBytes)
        var differences: [TableDifference] = []
        for name in Set(before.keys).union(after.keys).sorted() {
            try Task.checkCancellation()
            let found = try await difference(before[name], after[name], progress, rows)
            if let found { differences.append(found) }
        }
        return differences
    }

    private func selected(
        _ patterns: [TablePattern], _ reader: PointReader
    ) throws -> [TableName: TableRecord] {
        let metadata = reader.point.metadata
        let records = metadata.currentTables.filter { record in
            patterns.isEmpty
                || patterns.contains {
                    $0.matches(record.tableName, defaultSchema: metadata.defaultSchema)
                }
        }
        return Dictionary(records.map { ($0.tableName, $0) }) { first, _ in first }
    }

    private func difference(
        _ before: TableRecord?, _ after: TableRecord?, _ progress: OperationProgress,
        _ rows: (@Sendable (RowDifference) async throws -> Void)?
    ) async throws -> TableDifference? {
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, let after?):
            if let unknown = unknown(after, in: old) { return unknown }
            if let rows {
                try await all(after, new, progress) {
                    try await rows(RowDifference(record: after, old: nil, new: $0))
                }
            }
            var found = TableDifference(table: after.tableName)
            (found.added, found.note) = (after.fingerprint.rows, "the table is new")
            return found
        case (let before?, nil):
            if let unknown = unknown(before, in: new) { return unknown }
            if let rows {
                try await all(before, old, progress) {
                    try await rows(RowDifference(record: before, old: $0, new: nil))
                }
            }
            var found = TableDifference(table: before.tableName)
            (found.deleted, found.note) = (before.fingerprint.rows, "the table is gone")
            return found
        case (let before?, let after?):
            return try await difference(from: before, to: after, progress, rows)
        }
    }

    /// What can be said of a table that only one of the points has, where the other may just not hold it.
    private func unknown(_ record: TableRecord, in other: PointReader) -> TableDifference? {
        guard other.point.metadata.mayLack(record.tableName) else { return nil }
        var found = TableDifference(table: record.tableName)
        found.note = "it is not in \(other.point.id)"
        return found
    }

    private func difference(
        from before: TableRecord, to after: TableRecord, _ progress: OperationProgress,
        _ rows: (@Sendable (RowDifference) async throws -> Void)?
    ) async throws -> TableDifference? {
        let isAlike = before.header == after.header
        if isAlike, old.seed == new.seed, before.fingerprint == after.fingerprint { return nil }
        let hasKey =
            !after.key.isEmpty && before.key.map(ExactText.init) == after.key.map(ExactText.init)
        if isAlike, hasKey, old.seed == new.seed {
            return try await joined(before, after, progress, rows)
        }
        // Without a common key a row is what it holds.
        let columns =
            isAlike
            ? after.storedColumns
            : after.storedColumns.filter { name in
                before.storedColumns.contains { $0.isExactly(name) }
            }
        let key = hasKey ? after.key : columns
        let oldRows = ComparedRows(
            old, before, columns, key: key, seed: old.seed, isWhole: isAlike)
        let newRows = ComparedRows(new, after, columns, key: key, seed: old.seed, isWhole: isAlike)
        var found = TableDifference(table: after.tableName)
        if !isAlike { found.note = Self.columnNote(before, after) }
        if !hasKey {
            let isKeyless = before.key.isEmpty && after.key.isEmpty
            let words = isKeyless ? "it has no key" : "its key has changed: rows are compared whole"
            found.note = [found.note, words].compactMap(\.self).joined(separator: "; ")
        }

        var keys = try await oldRows.keys(counting: !hasKey)
        let changed = RecordSpill()
        try await newRows.forEach { digest, hash, record in
            progress.add(rows: 1, bytes: 0)
            guard let known = keys.remove(digest) else {
                found.added += 1
                if let rows {
                    let now = try CSVDialect.fields(of: record)
                    try await rows(RowDifference(record: after, old: nil, new: now))
                }
                return
            }
            if !hasKey {
                // The number of rows like this one that are still without a partner.
                if known > 1 { keys.insert(digest, known - 1) }
            } else if known != hash {
                found.changed += 1
                if rows != nil { try changed.add(digest, record) }
            }
        }
        if hasKey {
            found.deleted = keys.count
        } else {
            keys.forEach { found.deleted += Int($1) }
        }
        if let rows, found.deleted + found.changed > 0 {
            try await oldRows.forEach { digest, _, record in
                if let now = try changed.record(of: digest) {
                    let old = try Self.fields(
                        CSVDialect.fields(of: record), of: before, inOrderOf: after)
                    let new = try CSVDialect.fields(of: now)
                    try await rows(RowDifference(record: after, old: old, new: new))
                } else if let count = keys[digest] {
                    let old = try CSVDialect.fields(of: record)
                    try await rows(RowDifference(record: before, old: old, new: nil))
                    if !hasKey {
                        _ = keys.remove(digest)
                        if count > 1 { keys.insert(digest, count - 1) }
                    }
                }
            }
        }
        let isSame = found.added + found.changed + found.deleted == 0
        return isSame && isAlike ? nil : found
    }

    /// A row's fields as another version of the table has them; NULL for columns that it lacked.
    private static func fields(
        _ fields: [String?], of before: TableRecord, inOrderOf after: TableRecord
    ) throws -> [String?] {
        guard fields.count == before.storedColumns.count else {
            throw BackupError.otherFields(fields.count)
        }
        let names = before.storedColumns.map(ExactText.init)
        return after.storedColumns.map { name in
            names.firstIndex(of: ExactText(name)).flatMap { fields[$0] }
        }
    }

    /// The usual case: keys are compared first, and rows read only when somebody wants to see them.
    ///
    /// Rows that have changed are put aside then, until those that they were before come.
    private func joined(
        _ before: TableRecord, _ after: TableRecord, _ progress: OperationProgress,
        _ rows: (@Sendable (RowDifference) async throws -> Void)?
    ) async throws -> TableDifference? {
        let keys = try await KeyDiff(old: old, new: new, namesKeys: rows != nil)
            .run(from: before, to: after, progress)
        guard !keys.isEmpty else { return nil }
        if let rows {
            let changed = RecordSpill()
            if keys.added.count + keys.changed.count > 0 {
                try await ComparedRows(new, after).forEach { digest, _, record in
                    if keys.added.contains(digest) {
                        let now = try CSVDialect.fields(of: record)
                        try await rows(RowDifference(record: after, old: nil, new: now))
                    } else if keys.changed.contains(digest) {
                        try changed.add(digest, record)
                    }
                }
            }
            if keys.deleted.count + keys.changed.count > 0 {
                try await ComparedRows(old, before).forEach { digest, _, record in
                    let now = try changed.record(of: digest).map { try CSVDialect.fields(of: $0) }
                    guard now != nil || keys.deleted.contains(digest) else { return }
                    let old = try CSVDialect.fields(of: record)
                    try await rows(RowDifference(record: after, old: old, new: now))
                }
            }
        }
        var found = TableDifference(table: after.tableName)
        (found.added, found.changed) = (keys.added.count, keys.changed.count)
        found.deleted = keys.deleted.count
        return found
    }

    private static func columnNote(_ before: TableRecord, _ after: TableRecord) -> String {
        let (old, new) = (
            before.storedColumns.map(ExactText.init), after.storedColumns.map(ExactText.init)
        )
        let gone = before.storedColumns.filter { !new.contains(ExactText($0)) }
        let added = after.storedColumns.filter { !old.contains(ExactText($0)) }
        guard !(gone.isEmpty && added.isEmpty) else { return "its columns are in another order" }
        let words = [("without", gone), ("with", added)].filter { !$1.isEmpty }
            .map { "\($0) column \($1.joined(separator: ", "))" }
        return "compared by common columns: now \(words.joined(separator: ", "))"
    }

    private func all(
        _ record: TableRecord, _ reader: PointReader, _ progress: OperationProgress,
        _ body: @Sendable ([String?]) async throws -> Void
    ) async throws {
        try await reader.withRows(of: record, proving: .rows) { rows in
            while let batch = try await rows.next() {
                progress.add(rows: batch.count, bytes: batch.bytes.count)
                for record in batch.recordSlices { try await body(CSVDialect.fields(of: record)) }
            }
        }
    }
}

/// Rows of a table as they are compared: by some of their columns.
private struct ComparedRows {
    let reader: PointReader
    let record: TableRecord
    let positions: [Int]
    let keyPositions: [Int]
    /// Whether a row is compared as it is stored, not by some of its fields.
    let isWhole: Bool
    let seed: UInt64

    init(
        _ reader: PointReader, _ record: TableRecord, _ columns: [String], key: [String],
        seed: UInt64, isWhole: Bool
    ) {
        self.reader = reader
        self.isWhole = isWhole
        self.record = record
        self.seed = seed
        positions = Table.positions(of: columns, in: record.storedColumns)
        keyPositions = Table.positions(of: key, in: record.storedColumns)
    }

    /// All columns.
    init(_ reader: PointReader, _ record: TableRecord) {
        self.init(
            reader, record, record.storedColumns, key: record.key, seed: reader.seed, isWhole: true)
    }

    /// Each key with the hash of its row, or, without a key, each row with how often it is there.
    func keys(counting: Bool) async throws -> DigestTable<UInt64> {
        var keys = DigestTable<UInt64>()
        if !counting, isWhole, seed == reader.seed {
            let parent = TableParent(reader: reader, record: record)
            return try await parent.withKeys(note: { _ in }) { source in
                var keys = DigestTable<UInt64>()
                while let block = try await source.next() {
                    for (index, digest) in block.digests.enumerated() {
                        keys.insert(digest, block.hashes[index])
                    }
                }
                return keys
            }
        }
        try await forEach { digest, hash, _ in
            guard counting else {
                keys.insert(digest, hash)
                return
            }
            keys.insert(digest, (keys.remove(digest) ?? 0) + 1)
        }
        return keys
    }

    /// Gives each row: the digest of its key, the hash by which it is compared, and its record without the line end.
    func forEach(
        _ body: (KeyDigest, UInt64, ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        let seed = seed
        try await reader.withRows(of: record, proving: .rows) { rows in
            var keys = RowKeys(positions: keyPositions.isEmpty ? [0] : keyPositions, seed: seed)
            while let batch = try await rows.next() {
                try Task.checkCancellation()
                let block = keys.block(of: batch)
                for (index, slice) in batch.recordSlices.enumerated() {
                    let hash = try isWhole ? block.hashes[index] : hash(of: slice)
                    try await body(block.digests[index], hash, slice)
                }
            }
        }
    }

    private func hash(of record: ArraySlice<UInt8>) throws -> UInt64 {
        let fields = try CSVDialect.fields(of: record)
        guard positions.allSatisfy(fields.indices.contains) else {
            throw BackupError.otherFields(fields.count)
        }
        let common = CSVDialect.record(positions.map { fields[$0] })
        return common.withUnsafeBytes { RowHash.hash($0, seed: seed) }
    }
}

extension BackupError {
    fileprivate static func otherFields(_ count: Int) -> BackupError {
        BackupError(.damaged, "a record has \(count) fields, and not those of its table")
    }
}

extension RowBatch {
    /// Each record, without its line end.
    var recordSlices: [ArraySlice<UInt8>] {
        zip([0] + ends, ends).map { bytes[$0..<($1 - 1)] }
    }
}
