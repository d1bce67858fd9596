import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresDefinitionVersionsTests {
    private func versions(_ things: [(String, String)]) -> PostgresDefinitionVersions {
        PostgresDefinitionVersions(
            Dictionary(things.map { ($0.0, .init(thing: "\($0.0) f", content: $0.1)) }) {
                first, _ in
                first
            })
    }

    @Test func `what is gone or changed is named, and what is new is not`() throws {
        let before = versions([("function 1", "7"), ("trigger 2", "8")])
        try before.requireKept(in: before)
        try before.requireKept(
            in: versions([("function 1", "7"), ("trigger 2", "8"), ("function 3", "9")]))
        for later in [[("function 1", "7")], [("function 1", "7"), ("trigger 2", "9")]] {
            let error = #expect(throws: BackupError.self) {
                try before.requireKept(in: versions(later))
            }
            #expect(error?.code == .sourceChanged)
            #expect(error?.message.contains("trigger 2 f") == true)
            #expect(error?.message.contains("function 1") == false)
        }
    }
}
