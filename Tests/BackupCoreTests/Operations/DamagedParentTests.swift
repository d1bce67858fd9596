import BackupTesting
import Foundation
import Testing

@testable import BackupCore

/// Nothing comes to rest on a backup that could not be restored.
@Suite struct DamagedParentTests {
    private static let kinds = [BackupKind.differential, .incremental]

    private static func name(_ file: String, in shop: Shop) throws -> StorageName {
        try #require(shop.storage.files.keys.first { $0.last == file }, "\(file)")
    }

    private static func verify(_ shop: Shop, _ id: String) async throws -> Bool {
        try await shop.verify(shop.repository.contents().point(named: id)).passed
    }

    @Test(arguments: kinds, [nil, [], Array("number,label\n".utf8)] as [[UInt8]?])
    func `a full whose rows are gone bears nothing, and another is made`(
        kind: BackupKind, bytes: [UInt8]?
    ) async throws {
        var shop = Shop()
        let rotten = try await shop.backUp().metadata.id
        let file = try Self.name("items.csv", in: shop)
        shop.storage.files[file] = bytes
        let notes = Journal<String>()
        shop.request.kind = kind
        let report = try await shop.backUp(OperationProgress { notes.append($0) })
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("\(file)") == true, "\(report.fullReason ?? "")")
        #expect(notes.entries.contains { $0.hasPrefix("warning: \(rotten)") }, "\(notes.entries)")
        try await shop.restore(report.metadata.id)
        #expect(shop.rows(of: "restored") == shop.rows(of: "shop"))
        let next = try await shop.backUp().metadata
        #expect(next.type == kind && next.baseID == report.metadata.id)
    }

    @Test func `changes that are gone end the chains that need them, and no others`() async throws {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        try shop.server.change("shop") { database in
            _ = database[rows: Shop.sample.items]?.removeLast()
        }
        try await shop.layer(.incremental)
        try await shop.layer(.incremental)
        let file = try Self.name("items_deleted.csv", in: shop)
        shop.storage.files[file] = nil
        let beside = try await shop.layer(.differential).metadata
        #expect(beside.baseID == full)
        // That one is whole, and the newest.
        #expect(try await shop.layer(.incremental).metadata.parentID == beside.id)
        shop.storage.files = shop.storage.files.filter { !$0.key.components.contains("data") }
        let report = try await shop.layer(.incremental)
        #expect(report.metadata.type == .full && report.fullReason != nil)
    }

    @Test func `an incremental rests on none whose changes are gone`() async throws {
        var shop = Shop()
        try await shop.backUp()
        try shop.server.change("shop") { database in
            _ = database[rows: Shop.sample.items]?.removeLast()
        }
        try await shop.layer(.incremental)
        // It says nothing of the table, so that the file of the one before is read for it.
        try await shop.layer(.incremental)
        let file = try Self.name("items_deleted.csv", in: shop)
        shop.storage.files[file] = nil
        let report = try await shop.layer(.incremental)
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("\(file)") == true, "\(report.fullReason ?? "")")
    }

    @Test func `a full that is refused is refused with the name of the file`() async throws {
        var shop = Shop()
        try await shop.backUp()
        let file = try Self.name("words.csv", in: shop)
        shop.storage.files[file] = nil
        shop.request.refusesFull = true
        shop.request.kind = .differential
        let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(error?.message.contains("\(file)") == true, "\(String(describing: error))")
        #expect(try await shop.repository.contents().points.count == 1)
    }

    @Test(arguments: kinds)
    func `damage that was verified ends the chain until a verification passes`(
        kind: BackupKind
    ) async throws {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        let file = try Self.name("items.csv", in: shop)
        let whole = try #require(shop.storage.files[file])
        shop.storage.files[file]?[20] ^= 1
        shop.request.kind = kind
        // Of the same size, and read by nobody: only who verifies can know.
        let before = try await shop.backUp().metadata
        #expect(before.type == kind)
        #expect(try await !Self.verify(shop, full))
        shop.request.refusesFull = true
        let refused = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(refused?.message.contains(full) == true, "\(String(describing: refused))")
        shop.storage.files[file] = whole
        for id in [full, before.id] { #expect(try await Self.verify(shop, id)) }
        #expect(try await shop.backUp().metadata.baseID == full)
        shop.request.refusesFull = false
        shop.storage.files[file]?[20] ^= 1
        #expect(try await !Self.verify(shop, full))
        let report = try await shop.backUp()
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains(full) == true, "\(report.fullReason ?? "")")
    }

    @Test(arguments: kinds, ["metadata.json", "SHA256SUMS"])
    func `metadata that is not proven bears nothing`(kind: BackupKind, file: String) async throws {
        var shop = Shop()
        let full = try await shop.point()
        let name = try full.folder.appending(file)
        // It says another moment than the backup's, and nothing else.
        let time = full.metadata.snapshotAt.text
        let other = Timestamp(full.metadata.snapshotAt.date.addingTimeInterval(-1)).text
        let text = try shop.text("\(name)")
        shop.storage.files[name] =
            file == "SHA256SUMS" ? nil : Array(text.replacing(time, with: other).utf8)
        #expect(shop.storage.files[name] != Array(text.utf8))
        let report = try await shop.layer(kind)
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("\(name)") == true, "\(report.fullReason ?? "")")
    }

    @Test func `an incremental believes no layer whose metadata was changed`() async throws {
        var shop = Shop()
        try await shop.backUp()
        let layer = try await shop.layer(.incremental).metadata
        let point = try await shop.repository.contents().point(named: layer.id)
        let name = try point.folder.appending("metadata.json")
        shop.storage.files[name]?.append(0x20)
        let refused = await #expect(throws: BackupError.self) { try await shop.merge() }
        #expect(refused?.code == .damaged && refused?.message.contains("\(name)") == true)
        #expect(try await shop.repository.contents().points.count == 2)
        let report = try await shop.layer(.incremental)
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("\(name)") == true, "\(report.fullReason ?? "")")
    }

    /// Another full would fail its drill for the same reason, each night.
    @Test func `a drill that failed is told, and ends no chain`() async throws {
        var shop = Shop()
        let point = try await shop.point()
        try await shop.repository.changeState(of: point) {
            $0.drilled = BackupState.Proof(at: .now, passed: false, seconds: 1)
        }
        let metadata = try await shop.layer(.differential).metadata
        #expect(metadata.baseID == point.id.text)
        #expect(metadata.warnings?.contains { $0.contains(point.id.text) } == true)
    }
}
