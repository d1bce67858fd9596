import BackupTesting
import Testing

@testable import BackupCore

@Suite struct FileNamingTests {
    @Test(arguments: [
        ("users", "users"), ("My-Table_1", "My-Table_1"), ("two words", "two%20words"),
        ("a.b", "a%2Eb"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("é", "%C3%A9"), ("100%", "100%25"),
        ("a~2", "a%7E2"), ("", ""),
    ])
    func `odd characters are encoded`(name: String, encoded: String) {
        #expect(FileNaming.encoded(name) == encoded)
    }

    @Test func `a name over 180 bytes is cut and ends in a digest of the whole`() {
        let plain = String(repeating: "a", count: 180)
        #expect(FileNaming.encoded(plain) == plain)
        let one = FileNaming.encoded(plain + "b")
        let other = FileNaming.encoded(plain + "c")
        #expect(one.utf8.count == 180)
        #expect(one != other)
        #expect(one.wholeMatch(of: /a{171}~[0-9a-f]{8}/) != nil)
    }

    @Test func `other schemas than the default are part of the name`() {
        #expect(
            names([("public", "users"), ("sales", "users"), ("a.b", "c")]) == [
                "users", "sales.users", "a%2Eb.c",
            ])
    }

    @Test func `a table with a dot is not another schema's`() {
        #expect(
            names([("public", "sales.users"), ("sales", "users")]) == [
                "sales%2Eusers", "sales.users",
            ])
    }

    @Test func `names that differ only by case get numbers`() {
        let found = names([("public", "users"), ("public", "Users"), ("public", "USERS")])
        #expect(found == ["users~3", "Users~2", "USERS"])
    }

    @Test func `a name that the format fixes is nobody else's`() {
        var fixed = Table(memory: "pg_catalog", "pg_largeobject", columns: [])
        fixed.fileName = "pg_largeobject"
        let user = Table(memory: "public", "pg_largeobject", columns: [])
        let names = FileNaming.names(for: [user, fixed], defaultSchema: "public")
        #expect(names[fixed.name] == "pg_largeobject")
        #expect(names[user.name] == "pg_largeobject~2")
    }

    @Test func `names do not depend on the order of the tables`() {
        let tables = [("public", "a"), ("public", "A"), ("x", "a"), ("X", "A")]
            .map { Table(memory: $0.0, $0.1, columns: []) }
        let one = FileNaming.names(for: tables, defaultSchema: "public")
        let other = FileNaming.names(for: tables.reversed(), defaultSchema: "public")
        #expect(one == other)
    }

    @Test func `any tables get names of their own that every file system takes`() {
        for seed in SeededGenerator.seeds(count: 50) {
            var random = SeededGenerator(seed: seed)
            let tables = Set(
                (0..<60).map { _ in
                    TableName(
                        schema: Bool.random(using: &random)
                            ? "public" : random.text(maximumLength: 63),
                        name: random.text(maximumLength: 63))
                })
            let names = FileNaming.names(
                for: tables.map { Table(memory: $0.schema, $0.name, columns: []) },
                defaultSchema: "public")
            #expect(names.count == tables.count, "seed \(seed)")
            let files = Set(names.values.map { $0.lowercased() })
            #expect(files.count == tables.count, "seed \(seed)")
            for file in files {
                #expect("index/\(file).rows.zst".utf8.count <= 205, "seed \(seed)")
                #expect(file.wholeMatch(of: /[A-Za-z0-9_.%~-]*/) != nil, "seed \(seed): \(file)")
            }
        }
    }

    private func names(_ tables: [(String, String)]) -> [String?] {
        let all = tables.map { Table(memory: $0.0, $0.1, columns: []) }
        let names = FileNaming.names(for: all, defaultSchema: "public")
        return all.map { names[$0.name] }
    }
}
