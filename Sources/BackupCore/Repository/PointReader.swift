import Foundation
import Packing

/// Reads the tables of a point, and proves what it reads.
///
/// A point is a virtual full backup: its rows are those of its layers, the newest first, and those
/// of the full that no layer has replaced or deleted.
public struct PointReader: Sendable {
    /// What is read, and what it rests on.
    public let chain: Chain
    /// The seed of the row hashes.
    let seed: UInt64
    private let storage: any Storage
    /// Read once, not for each table.
    private let checksums = Exclusive<[BackupID: Checksums]>([:])

    /// What is read.
    public var point: Point { chain.point }

    /// - Throws: `BackupError.damaged` when the point's metadata has no usable hash seed.
    public init(_ chain: Chain, in repository: Repository) throws {
        guard let seed = UInt64(chain.point.metadata.hashSeed, radix: 16) else {
            throw BackupError(.damaged, "metadata of \(chain.point.id) has no usable hash seed")
        }
        self.chain = chain
        self.seed = seed
        storage = repository.storage
    }

    private init(_ chain: Chain, seed: UInt64, _ storage: any Storage) {
        (self.chain, self.seed, self.storage) = (chain, seed, storage)
    }

    /// Runs `body` with a table's rows as of the point.
    ///
    /// - Throws: `BackupError.damaged` naming the file, when it is missing or not what was written;
    ///   whatever `body` throws.
    public func withRows<Result: Sendable>(
        of record: TableRecord, proving proof: TableFileReader.Proof,
        _ body: (PointRows) async throws -> Result
    ) async throws -> Result {
        let layers = try chain.layers(of: record)
        return try await withFiles(layers[...], proving: proof) { files in
            try await body(PointRows(files, of: record, seed: seed))
        }
    }

    /// Runs `body` with a table's keys and row hashes as of the point, and with the rows' own keys
    /// read from its row index where that is whole.
    ///
    /// - Throws: `BackupError.damaged` when the rows are; whatever `body` throws.
    func withKeys<Result: Sendable>(
        of record: TableRecord, fromIndex usesIndex: Bool,
        _ body: (any KeySource) async throws -> Result
    ) async throws -> Result {
        let layers = try chain.layers(of: record)
        let floor = layers[layers.count - 1]
        guard usesIndex, let index = floor.record.indexFile else {
            return try await withRows(of: record, proving: .rows) { rows in
                try await body(PointKeys(rows, of: record, seed: seed))
            }
        }
        let name = try floor.point.folder.appending(index)
        let checksums = try await checksums(of: floor.point)
        guard let digest = checksums[index], try await storage.entry(name) != nil else {
            throw missing(name)
        }
        return try await withFiles(layers.dropLast(), proving: .rowsAndBytes) { files in
            try await storage.read(name) { reader in
                let index = try RowIndexReader(
                    reader, name: "\(name)", digest: digest, seed: seed)
                return try await body(PointKeys(files, over: index, of: record, seed: seed))
            }
        }
    }

    private func checksums(of point: Point) async throws -> Checksums {
        if let known = checksums.withValue({ $0[point.id] }) { return known }
        let found = try await Checksums(of: point, in: storage)
        checksums.withValue { $0[point.id] = found }
        return found
    }

    /// What layers of a table say over the rows that they rest on; the newest layer first.
    func overlay(of layers: ArraySlice<TableLayer>) async throws -> TableOverlay {
        var overlay = TableOverlay()
        for layer in layers { try await statements(of: layer) { overlay.add($0, $1) } }
        return overlay
    }

    /// What one layer of changes says: of each key once, with the hash of its row, or nil where that is gone.
    func statements(
        of layer: TableLayer, _ body: (_ key: KeyDigest, _ hash: UInt64?) -> Void
    ) async throws {
        let record = layer.record
        try await withFiles(of: layer) { rows, tombstones in
            var keys = RowKeys(positions: record.keyPositions, seed: seed)
            while let batch = try await rows?.next() {
                let block = keys.block(of: batch)
                for (index, digest) in block.digests.enumerated() {
                    body(digest, block.hashes[index])
                }
            }
            keys = RowKeys(positions: Array(record.key.indices), seed: seed)
            while let batch = try await tombstones?.next() {
                for digest in keys.block(of: batch).digests { body(digest, nil) }
            }
        }
    }

    /// A reader of what a point of the chain holds.
    func below(to point: Point) throws -> PointReader {
        guard let index = chain.links.firstIndex(where: { $0.id == point.id }) else { return self }
        return PointReader(Chain(links: Array(chain.links[index...])), seed: seed, storage)
    }

    /// Runs `body` with the files of one layer alone: its rows, and its tombstones.
    func withFiles<Result: Sendable>(
        of layer: TableLayer,
        _ body: (_ rows: TableFileReader?, _ tombstones: TableFileReader?) async throws -> Result
    ) async throws -> Result {
        try await withFiles([layer], proving: .rows) { files in
            try await body(files.first?.rows, files.first?.tombstones)
        }
    }

    /// Opens the files of layers, and runs `body` with all of them.
    private func withFiles<Result: Sendable>(
        _ layers: ArraySlice<TableLayer>, proving proof: TableFileReader.Proof,
        _ body: ([PointRows.Layer]) async throws -> Result
    ) async throws -> Result {
        guard let layer = layers.last else { return try await body([]) }
        let isFloor = layer.record.mode == .whole
        return try await withFile(
            layer.record.file, layer, isFloor ? .table(layer.record, proof) : .changes(layer.record)
        ) { rows in
            try await withFile(layer.record.deletedFile, layer, .tombstones(layer.record)) {
                tombstones in
                let own = PointRows.Layer(rows: rows, tombstones: tombstones, isFloor: isFloor)
                return try await withFiles(layers.dropLast(), proving: proof) {
                    try await body($0 + [own])
                }
            }
        }
    }

    private func withFile<Result: Sendable>(
        _ file: String?, _ layer: TableLayer, _ expected: TableFileReader.Expected,
        _ body: (TableFileReader?) async throws -> Result
    ) async throws -> Result {
        guard let file else { return try await body(nil) }
        let name = try layer.point.folder.appending(file)
        guard try await storage.entry(name) != nil else { throw missing(name) }
        return try await storage.read(name) { reader in
            try await body(
                TableFileReader(reader: reader, expected: expected, file: "\(name)", seed: seed))
        }
    }

    /// Looks for the files of every table, without reading them.
    ///
    /// Side by side: of a long chain with many tables there are tens of thousands.
    /// - Throws: `BackupError.damaged` for one that is missing or has another size.
    func checkFiles() async throws {
        for link in chain.links {
            guard link.metadata.agreesWithItself else {
                throw BackupError(
                    .damaged, "metadata of \(link.id) contradicts itself", hint: Chain.hint)
            }
        }
        let records = point.metadata.currentTables
        let lanes = ProcessInfo.processInfo.activeProcessorCount
        let share = max(1, (records.count + lanes - 1) / lanes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in stride(from: 0, to: records.count, by: share) {
                group.addTask {
                    for record in records[start..<min(start + share, records.count)] {
                        for layer in try chain.layers(of: record) {
                            try await checkFiles(of: layer)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func checkFiles(of layer: TableLayer) async throws {
        var bytes = 0
        var name = layer.point.folder
        for file in layer.record.files {
            name = try layer.point.folder.appending(file)
            guard let entry = try await storage.entry(name) else { throw missing(name) }
            bytes &+= entry.byteCount
        }
        guard bytes == layer.record.bytes else {
            throw BackupError(
                .damaged, "\(name) has \(bytes) bytes, not \(layer.record.bytes)",
                hint: Chain.hint)
        }
    }

    /// Reads the data files of tables, and proves that each is byte for byte what was written.
    ///
    /// - Throws: `BackupError.damaged` for the first one that is not.
    func proveFiles(
        of records: [TableRecord], sideBySide jobs: Int, progress: OperationProgress
    ) async throws {
        let layers = try records.flatMap { try chain.layers(of: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, layer) in layers.enumerated() {
                if index >= jobs { try await group.next() }
                group.addTask {
                    for (file, digest) in layer.record.provenFiles {
                        try await prove(layer.point.folder.appending(file), digest, progress)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// What is said of each file of a table's layers that is missing, or not what was written.
    func damage(in layers: [TableLayer]) async throws -> [StorageName: String] {
        var damage: [StorageName: String] = [:]
        for layer in layers {
            for (file, digest) in layer.record.provenFiles {
                let name = try layer.point.folder.appending(file)
                do {
                    try await prove(name, digest, OperationProgress())
                } catch let error as BackupError where error.code == .damaged {
                    damage[name] = error.message
                }
            }
        }
        return damage
    }

    private func prove(
        _ name: StorageName, _ digest: String?, _ progress: OperationProgress
    ) async throws {
        guard try await storage.entry(name) != nil else { throw missing(name) }
        let found = try await storage.digest(of: name) { progress.add(rows: 0, bytes: $0) }
        guard found == digest else {
            throw BackupError(
                .damaged, "\(name) is damaged: its checksum differs from metadata",
                hint: Chain.hint)
        }
    }

    private func missing(_ name: StorageName) -> BackupError {
        BackupError(.damaged, "\(name) is missing", hint: Chain.hint)
    }
}
