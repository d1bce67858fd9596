import BackupTesting
import Testing

@testable import BackupCore

@Suite struct PointDetailsTests {
    @Test func `what is known of a backup is what its state says`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let before = try #require(try await shop.repository.stateIfKnown(of: point))
        #expect(before.verified == nil && !before.pinned)
        _ = try await shop.verify(point)
        #expect(try await shop.repository.stateIfKnown(of: point)?.verified?.passed == true)
    }

    @Test(arguments: ["", "{", "[]", #"{"pinned": "yes"}"#, #"{"verified": {"at": "never"}}"#])
    func `a damaged state is unknown, and no error`(text: String) async throws {
        let shop = Shop()
        let point = try await shop.point()
        let name = try point.folder.appending(RepositoryLayout.state)
        try await shop.storage.write(name, bytes: Array(text.utf8))
        #expect(try await shop.repository.stateIfKnown(of: point) == nil)
        #expect(try await shop.repository.details(of: point).state == nil)
    }

    @Test func `a missing state is unknown, and no error`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        try await shop.storage.remove(try point.folder.appending(RepositoryLayout.state))
        #expect(try await shop.repository.stateIfKnown(of: point) == nil)
    }

    @Test func `the size is that of all files, without the points that rest on it`() async throws {
        var shop = Shop()
        shop.request.makesArchive = true
        let point = try await shop.point()
        let layer = try point.folder.appending("\(RepositoryLayout.layers)/x/metadata.json")
        try await shop.storage.write(layer, bytes: [1, 2, 3])
        let details = try await shop.repository.details(of: point)
        let files = shop.storage.files.filter {
            $0.key.components.first == point.id.text && $0.key != layer
        }
        #expect(details.storedBytes == files.values.reduce(0) { $0 + $1.count })
        let archive = shop.storage.files[try RepositoryLayout.archive(of: point.id)]
        #expect(details.archive?.bytes == archive?.count)
        #expect(details.archive?.location.hasSuffix("\(point.id).zip") == true)
    }
}
