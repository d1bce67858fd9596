import BackupTesting
import Foundation
import Testing

@testable import BackupCore

/// A repository that somebody has damaged or forged is refused with words; whoever reads it neither crashes nor
/// restores rows that no backup had.
@Suite struct HostileRepositoryTests {
    @Test(arguments: [FilePacking.none, .zstd])
    func `whatever its files hold, reading them ends with an answer`(
        packing: FilePacking
    ) async throws {
        let (template, ids, rows) = try await Self.chain(packing)
        print("hostile repository of DBTOOL_CAMPAIGN_SEED=\(Attack.seed)")
        try await Attack("hostile repository, \(packing)").run(tries: Attack.tries * 8) {
            _, random in
            let shop = Shop()
            shop.storage.files = template.storage.files
            let names = shop.storage.files.keys.filter { !"\($0)".hasPrefix(".lock") }.sorted {
                "\($0)" < "\($1)"
            }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let name = try #require(names.randomElement(using: &random))
                var bytes = shop.storage.files[name] ?? []
                let isText =
                    name.last.hasSuffix(".json") || name.last.hasSuffix(".csv")
                    || name.last == "SHA256SUMS"
                Forgery.random(forText: isText, &random).apply(to: &bytes, &random)
                shop.storage.files[name] = bytes
            }
            let isConsistent = Bool.random(using: &random)
            if isConsistent { shop.makeConsistent(with: template.storage.files, ids) }
            return await shop.answers(ids, rows: isConsistent ? nil : rows)
        }
    }

    /// A repository in memory with a full and two points that rest on it, and what the last one holds.
    private static func chain(
        _ packing: FilePacking
    ) async throws -> (Shop, ids: [String], rows: [TableName: [[String?]]]) {
        var shop = Shop()
        shop.request.packing = packing
        var ids = [try await shop.backUp().metadata.id]
        for (kind, value) in [(BackupKind.differential, "x"), (.incremental, "y")] {
            try shop.server.change("shop") { database in
                database[rows: Shop.sample.items]?.removeFirst()
                database[rows: Shop.sample.items]?.append(["\(1000 + ids.count)", value])
            }
            shop.request.kind = kind
            ids.append(try await shop.backUp().metadata.id)
        }
        return (shop, ids, shop.rows(of: "shop"))
    }
}

extension Shop {
    /// Lets every checksum be that of what is there, as a forger would.
    fileprivate func makeConsistent(with before: [StorageName: [UInt8]], _ ids: [String]) {
        // Data first, then the metadata of one point after the other, which names that of its parent.
        let rank = { (name: StorageName) -> Int in
            guard name.last == "metadata.json" else { return name.last == "SHA256SUMS" ? 9 : 0 }
            return 1 + (ids.firstIndex { "\(name)".contains(BackupID($0)?.tail ?? "-") } ?? 0)
        }
        for name in before.keys.sorted(by: { (rank($0), "\($0)") < (rank($1), "\($1)") }) {
            let (old, new) = (digest(before[name] ?? []), digest(storage.files[name] ?? []))
            guard old != new else { continue }
            for other in storage.files.keys
            where other.last == "metadata.json" || other.last == "SHA256SUMS" {
                let text = String(decoding: storage.files[other] ?? [], as: UTF8.self)
                guard text.contains(old) else { continue }
                storage.files[other] = Array(text.replacing(old, with: new).utf8)
            }
        }
    }

    /// Asks everything of every point; what was no answer, and what was restored wrong.
    fileprivate func answers(_ ids: [String], rows: [TableName: [[String?]]]?) async -> [String] {
        var broken: [String] = []
        func ask(_ what: String, _ body: () async throws -> Void) async {
            do {
                try await body()
            } catch is BackupError {
                // Words are an answer.
            } catch {
                broken.append("\(what): \(error)")
            }
        }
        for id in ids {
            await ask("verify") {
                let chain = try await repository.contents().chain(named: id)
                _ = try await Verify(repository: repository).run(
                    chain, progress: OperationProgress())
            }
            await ask("restore") {
                server[id] = nil
                try await restore(id, into: id)
                guard let rows, id == ids.last else { return }
                if self.rows(of: id) != rows { broken.append("restored \(self.rows(of: id))") }
            }
        }
        await ask("diff") {
            let contents = try await repository.contents()
            let diff = try PointDiff(
                from: contents.chain(named: ids[0]), to: contents.chain(named: ids[2]),
                in: repository)
            _ = try await diff.run(progress: OperationProgress()) { _ in }
        }
        await ask("history") {
            _ = try await RowHistory(repository: repository).run(
                TablePattern("items"), key: "3", database: nil, progress: OperationProgress())
        }
        await ask("merge") {
            let chain = try await repository.contents().chain(named: ids[2])
            _ = try await Merge(
                engine: engine, repository: repository, request: MergeRequest(toolVersion: "0.0.1")
            ).run(chain, progress: OperationProgress())
        }
        await ask("prune") {
            var retention = Retention()
            retention.last = 1
            _ = try await Prune(repository: repository, retention: retention, holder: "the test")
                .run(database: "shop", progress: OperationProgress())
        }
        await ask("differential") {
            var again = self
            again.request.kind = .incremental
            try await again.backUp()
        }
        return broken
    }
}
