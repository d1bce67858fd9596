import BackupTesting
import Synchronization
import Testing

@testable import BackupCore

/// Chains over a source in memory: every point against a trivial model, damage, merge and diff.
@Suite struct ChainTests {
    @Test(arguments: SeededGenerator.seeds(count: 12), [FilePacking.none, .zstd])
    func `every point has the rows of its moment, and so has its merge`(
        seed: UInt64, packing: FilePacking
    ) async throws {
        var random = SeededGenerator(seed: seed)
        var shop = Shop()
        shop.request.packing = packing
        var moments: [(id: String, rows: [TableName: [[String?]]])] = []
        for number in 0..<7 {
            if number > 0 { try shop.change(&random) }
            shop.request.kind =
                number == 0 ? .full : Bool.random(using: &random) ? .incremental : .differential
            let report = try await shop.backUp()
            #expect((report.metadata.type == .full) == (number == 0), "seed \(seed)")
            moments.append((report.metadata.id, shop.rows))
        }
        for moment in moments {
            let words = "\(moment.id), seed \(seed)"
            try await shop.expectRows(moment.id, moment.rows, words)
            let point = try await shop.repository.contents().point(named: moment.id)
            #expect(try await shop.verify(point).damage == [], "\(words)")
        }
        let last = try #require(moments.last)
        let chain = try await shop.repository.contents().chain(named: last.id)
        let merged = try await shop.merge(last.id)
        try await shop.expectRows(merged.id, last.rows, "merged, seed \(seed)")
        for (before, after) in zip(chain.point.metadata.currentTables, merged.tables) {
            #expect(before.fingerprint == after.fingerprint && after.mode == .whole)
        }
        let full = try await shop.repository.contents().point(named: merged.id)
        #expect(try await shop.verify(full).damage == [], "seed \(seed)")
        try await shop.expectDiffs(moments, seed: seed)
    }

    @Test(arguments: [Damage.lostTombstones, .swapped, .edited, .missingLink, .otherParent])
    func `damage in a chain is found and named, and not restored`(damage: Damage) async throws {
        var shop = Shop()
        try await shop.backUp()
        var random = SeededGenerator(seed: 5)
        shop.request.kind = .incremental
        var ids: [String] = []
        for _ in 0..<3 {
            try shop.server.change("shop") { database in
                database[rows: Shop.sample.items]?.removeFirst()
                database[rows: Shop.sample.items]?.append([
                    "\(Int.random(in: 100...100_000, using: &random))", "new",
                ])
            }
            ids.append(try await shop.backUp().metadata.id)
        }
        let file = try damage.apply(to: shop.storage, ids)
        do {
            let point = try await shop.repository.contents().point(named: ids[2])
            let report = try await shop.verify(point)
            #expect(report.damage.contains { $0.contains(file) }, "\(damage): \(report.damage)")
        } catch let error as BackupError {
            #expect(error.code == .damaged && error.message.contains(file), "\(error)")
        }
        let refused = await #expect(throws: BackupError.self) { try await shop.restore(ids[2]) }
        #expect(refused?.code == .damaged)
    }

    /// Sessions count the age of a row's version each from its own moment: after so many transactions that it is about
    /// to turn they may see it differently.
    @Test(arguments: [false, true])
    func `a row that one reading marks and the other does not is not lost`(
        isMarkedFirst: Bool
    ) async throws {
        var shop = Shop()
        try await shop.backUp()
        try shop.server.change("shop") { database in
            database[rows: Shop.sample.items]?[3][1] = "changed"
        }
        let changed = shop.rows[Shop.sample.items]?.map { $0 } ?? []
        let turning = changed.first { $0[1] != "changed" }
        shop.engine.marks = { row, isSecond in
            row[1] == "changed" || row == turning && isSecond != isMarkedFirst
        }
        shop.request.kind = .differential
        let report = try await shop.backUp()
        let record = report.metadata.tables.first { $0.tableName == Shop.sample.items }
        #expect(record?.basis == "compare" && record?.tombstones == 0, "\(report)")
        #expect(record?.rows == 1)
        try await shop.expectRows(report.metadata.id, shop.rows, "the turning row")
        shop.engine.marks = { row, _ in row[1] == "changed" }
        let other = try await shop.backUp().metadata
        #expect(other.tables.first { $0.tableName == Shop.sample.items }?.basis == "xmin")
    }

    /// By its versions a row of the clone is as old as the full.
    @Test func `row versions say nothing over a point of a clone`() async throws {
        var shop = Shop()
        shop.engine.marks = { row, _ in row[1] == "changed" }
        try await shop.backUp()
        shop.request.kind = .incremental
        let own = shop.engine
        let database = try #require(shop.server["shop"])
        shop.engine = MemoryEngine(MemoryServer(["shop": database]))
        shop.engine.identity = ["server": "clone"]
        try shop.engine.server.change("shop") { database in
            database[rows: Shop.sample.items]?[3][1] = "of the clone"
        }
        let clone = try await shop.backUp().metadata
        // As a column of times would have made it.
        let point = try await shop.repository.contents().point(named: clone.id)
        let metadata = try point.folder.appending("metadata.json")
        let text = try shop.text("\(metadata)")
        let inexact = Array(text.replacing("\"exact\" : true", with: "\"exact\" : false").utf8)
        let checksums = try point.folder.appending("SHA256SUMS")
        let listed = try shop.text("\(checksums)").replacing(point.digest, with: digest(inexact))
        shop.storage.replace(metadata, with: inexact)
        shop.storage.replace(checksums, with: Array(listed.utf8))
        #expect(inexact != Array(text.utf8))

        shop.engine = own
        let report = try await shop.backUp()
        #expect(report.metadata.parentID == clone.id)
        let record = report.metadata.tables.first { $0.tableName == Shop.sample.items }
        #expect(record?.basis == "compare" && record?.rows == 1)
        try await shop.expectRows(report.metadata.id, shop.rows, "over the clone's")
        let next = try await shop.backUp().metadata
        #expect(next.tables.first { $0.tableName == Shop.sample.items }?.basis == "xmin")
    }

    @Test func `many tasks may read the rows of a point`() async throws {
        var shop = Shop()
        try shop.server.change("shop") { database in
            database[rows: Shop.sample.items] = (0..<400).map { ["\($0)", "v \($0)"] }
        }
        try await shop.backUp()
        try shop.server.change("shop") { database in
            database[rows: Shop.sample.items]?[7] = ["7", "changed"]
        }
        shop.request.kind = .incremental
        let id = try await shop.backUp().metadata.id
        let chain = try await shop.repository.contents().chain(named: id)
        let reader = try PointReader(chain, in: shop.repository)
        let record = try #require(
            chain.point.metadata.tables.first { $0.tableName == Shop.sample.items })
        for _ in 0..<500 {
            let count = try await reader.withRows(of: record, proving: .rows) { rows in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            var count = 0
                            while let batch = try await rows.next() { count += batch.count }
                            return count
                        }
                    }
                    return try await group.reduce(0, +)
                }
            }
            #expect(count == 400)
        }
    }

    @Test func `a damaged row index is read around`() async throws {
        var shop = Shop()
        try await shop.backUp()
        let index = try #require(shop.storage.files.keys.first { $0.last == "items.rows.zst" })
        // The last is noticed behind its last key.
        let whole = try #require(shop.storage.files[index])
        for (number, bytes) in [Array("nonsense".utf8), [], whole + [0]].enumerated() {
            try await shop.storage.write(index, bytes: bytes)
            try shop.server.change("shop") { database in
                _ = database[rows: Shop.sample.items]?.removeLast()
            }
            shop.request.kind = .differential
            let metadata = try await shop.backUp().metadata
            try await shop.expectRows(metadata.id, shop.rows, "after damage")
            let record = metadata.tables.first { $0.tableName == Shop.sample.items }
            #expect(record?.tombstones == number + 1)
        }
    }

    /// A broken unique index, after an update of the system's collations, has let them in.
    @Test(arguments: Twins.allCases, [0, 96 << 20])
    func `two rows of a full with one key do not spoil what rests on it`(
        twins: Twins, joinBytes: Int
    ) async throws {
        let items = Shop.sample.items
        var shop = Shop()
        shop.request.joinBytes = joinBytes
        try shop.server.change("shop") { database in
            let rows = database[rows: items] ?? []
            database[rows: items] = rows + [["0", "twin"]]
        }
        try await shop.backUp()
        try shop.server.change("shop") { database in
            var rows = database[rows: items] ?? []
            twins.change(&rows)
            database[rows: items] = rows
        }
        let words = "\(twins), \(joinBytes) bytes"
        let first = try await shop.layer(.differential).metadata
        try await shop.expectRows(first.id, shop.rows, words)
        let record = first.tables.first { $0.tableName == items }
        #expect(record?.mode == .whole || twins == .stay, "\(words)")
        try shop.server.change("shop") { database in
            var rows = database[rows: items] ?? []
            rows[7][1] = "changed too"
            database[rows: items] = rows
        }
        let second = try await shop.layer(.incremental).metadata
        try await shop.expectRows(second.id, shop.rows, words)
    }

    /// What becomes of the first row and the last, which have one key.
    enum Twins: CaseIterable {
        case stay, oneGoes, otherGoes, oneChanges, otherChanges, oneGoesAndOtherChanges, bothGo

        func change(_ rows: inout [[String?]]) {
            let last = rows.count - 1
            switch self {
            case .stay: rows[5][1] = "changed"
            case .oneGoes: rows.removeFirst()
            case .otherGoes: rows.removeLast()
            case .oneChanges: rows[0][1] = "changed"
            case .otherChanges: rows[last][1] = "changed"
            case .oneGoesAndOtherChanges:
                rows[last][1] = "changed"
                rows.removeFirst()
            case .bothGo:
                rows.removeLast()
                rows.removeFirst()
            }
        }
    }

    @Test func `a chain ends by its number of points, and --no-full refuses that`() async throws {
        var shop = Shop()
        try await shop.backUp()
        shop.request.kind = .incremental
        shop.request.chainRule.points = 2
        for kind in [BackupKind.incremental, .incremental, .full] {
            let report = try await shop.backUp()
            #expect(report.metadata.type == kind)
            #expect((report.fullReason != nil) == (kind == .full))
        }
        shop.request.chainRule.points = 0
        shop.request.refusesFull = true
        let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(error?.code == .usage)
    }

    @Test func `a full that ends a chain is packed as the chain was`() async throws {
        var shop = Shop()
        shop.request.packing = .zstd
        try await shop.backUp()
        shop.request.packing = nil
        shop.request.kind = .incremental
        shop.request.chainRule.points = 1
        for kind in [BackupKind.incremental, .full, .incremental] {
            try shop.server.change("shop") { database in
                _ = database[rows: Shop.sample.items]?.removeFirst()
                database[rows: Shop.sample.items]?[0][1] = "changed for \(kind)"
            }
            let metadata = try await shop.backUp().metadata
            #expect(metadata.type == kind)
            let files = metadata.tables.compactMap(\.file)
            #expect(!files.isEmpty && files.allSatisfy { $0.hasSuffix(".zst") }, "\(files)")
        }
    }

    @Test func `another encoding ends a chain, and --no-full refuses that`() async throws {
        var shop = Shop()
        try await shop.backUp()
        shop.engine.encoding = "LATIN1"
        shop.request.kind = .incremental
        shop.request.refusesFull = true
        let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(error?.message.contains("another encoding") == true)
        shop.request.refusesFull = false
        let report = try await shop.backUp()
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("another encoding") == true)
    }

    @Test func `without a full a differential is one, and says why`() async throws {
        var shop = Shop()
        shop.request.kind = .differential
        let report = try await shop.backUp()
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("no full backup") == true)
    }

    // MARK: Damage

    enum Damage: CaseIterable {
        case lostTombstones, swapped, edited, missingLink, otherParent

        /// Does it; a word that the message must have.
        func apply(to storage: MemoryStorage, _ ids: [String]) throws -> String {
            func name(_ id: String, _ file: String) throws -> StorageName {
                let found = storage.files.keys.first {
                    $0.components.contains(BackupID(id)?.tail ?? "") && $0.last == file
                }
                return try #require(found, "\(file) of \(id)")
            }
            switch self {
            case .lostTombstones:
                storage.replace(try name(ids[1], "items_deleted.csv"), with: nil)
                return "items_deleted.csv"
            case .swapped:
                let (first, second) = (
                    try name(ids[0], "items_diff.csv"), try name(ids[1], "items_diff.csv")
                )
                let bytes = storage.files[first]
                storage.replace(first, with: storage.files[second])
                storage.replace(second, with: bytes)
                return "items_diff.csv"
            case .edited:
                let file = try name(ids[2], "items_diff.csv")
                var bytes = try #require(storage.files[file])
                bytes[bytes.count - 3] ^= 1
                storage.replace(file, with: bytes)
                return "items_diff.csv"
            case .missingLink:
                storage.replace(try name(ids[1], "metadata.json"), with: nil)
                return ids[1]
            case .otherParent:
                let file = try name(ids[0], "metadata.json")
                storage.replace(file, with: try #require(storage.files[file]) + [0x20])
                return ids[0]
            }
        }
    }
}

extension MemoryStorage {
    /// Replaces a file behind everybody's back; nil removes it.
    fileprivate func replace(_ name: StorageName, with bytes: [UInt8]?) { files[name] = bytes }
}

extension Shop {
    /// The rows of every table now.
    fileprivate var rows: [TableName: [[String?]]] {
        Dictionary(
            (server["shop"]?.contents ?? []).map { ($0.table.name, $0.rows) }
        ) { first, _ in first }
    }

    /// Changes some rows, and sometimes a table.
    fileprivate func change(_ random: inout SeededGenerator) throws {
        var numbers = random
        try server.change("shop") { database in
            for index in database.contents.indices {
                database.contents[index].change(&numbers)
            }
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0:
                let name = "extra\(Int.random(in: 0...9999, using: &numbers))"
                database.contents.append(
                    .init(
                        Table(memory: "public", name, columns: ["k", "v"], key: ["k"]),
                        rows: [["1", "a"]]))
            case 1: database.contents.removeAll { $0.table.name.name.hasPrefix("extra") }
            case 2: database.contents.shuffle(using: &numbers)
            default: break
            }
        }
        random = numbers
    }

    fileprivate func expectRows(
        _ id: String, _ expected: [TableName: [[String?]]], _ words: String
    ) async throws {
        let chain = try await repository.contents().chain(named: id)
        let reader = try PointReader(chain, in: repository)
        let records = chain.point.metadata.currentTables
        #expect(Set(records.map(\.tableName)) == Set(expected.keys), "\(words)")
        for record in records {
            let found = try await reader.withRows(of: record, proving: .rows) { rows in
                var found: [String] = []
                while let batch = try await rows.next() {
                    found += batch.records.map { String(decoding: $0, as: UTF8.self) }
                }
                return found
            }
            let wanted = (expected[record.tableName] ?? []).map {
                String(decoding: CSVDialect.record($0).dropLast(), as: UTF8.self)
            }
            #expect(found.sorted() == wanted.sorted(), "\(words): \(record.tableName)")
        }
    }

    /// The rows that differ between any two points, against those of the model.
    fileprivate func expectDiffs(
        _ moments: [(id: String, rows: [TableName: [[String?]]])], seed: UInt64
    ) async throws {
        let contents = try await repository.contents()
        let pairs = moments.indices.flatMap { old in moments.indices.map { (old, $0) } }
        for (old, new) in pairs where old != new {
            let diff = try PointDiff(
                from: contents.chain(named: moments[old].id),
                to: contents.chain(named: moments[new].id),
                in: repository)
            let found = Mutex<[TableName: (removed: [String], added: [String])]>([:])
            let tables = try await diff.run(progress: OperationProgress()) { row in
                found.withLock { found in
                    if let fields = row.old {
                        found[row.record.tableName, default: ([], [])].removed.append("\(fields)")
                    }
                    if let fields = row.new {
                        found[row.record.tableName, default: ([], [])].added.append("\(fields)")
                    }
                }
            }
            for name in Set(moments[old].rows.keys).union(moments[new].rows.keys) {
                let before = (moments[old].rows[name] ?? []).map { "\($0)" }
                let after = (moments[new].rows[name] ?? []).map { "\($0)" }
                let rows = found.withLock { $0[name] } ?? (removed: [], added: [])
                let words = "\(name) from \(old) to \(new), seed \(seed)"
                #expect(rows.removed.sorted() == Self.without(before, after), "\(words)")
                #expect(rows.added.sorted() == Self.without(after, before), "\(words)")
                let counts = tables.first { $0.table == name }
                #expect(
                    (counts?.changed ?? 0) + (counts?.added ?? 0) == rows.added.count, "\(words)")
                #expect(
                    (counts?.changed ?? 0) + (counts?.deleted ?? 0) == rows.removed.count,
                    "\(words)")
            }
        }
    }

    /// What one has and the other has not, as often as it has it more.
    private static func without(_ left: [String], _ right: [String]) -> [String] {
        var rest = Dictionary(grouping: right) { $0 }.mapValues(\.count)
        return left.filter { row in
            guard let count = rest[row], count > 0 else { return true }
            rest[row] = count - 1
            return false
        }.sorted()
    }
}

extension MemoryDatabase.Content {
    fileprivate mutating func change(_ random: inout SeededGenerator) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: rows.removeAll { _ in Int.random(in: 0..<4, using: &random) == 0 }
        case 1: rows.shuffle(using: &random)
        case 2:
            for index in rows.indices where Int.random(in: 0..<3, using: &random) == 0 {
                // The last column is never the key's only one.
                rows[index][rows[index].count - 1] =
                    table.key == [table.columns.last?.name] || table.columns.count == 1
                    ? rows[index][rows[index].count - 1] : random.text(maximumLength: 5)
            }
        case 3:
            let first = Int.random(in: 1000...1_000_000, using: &random)
            for number in 0..<Int.random(in: 1...9, using: &random) {
                rows.append(table.storedColumns.map { _ in "\(first + number)" })
            }
        default: break
        }
    }
}
