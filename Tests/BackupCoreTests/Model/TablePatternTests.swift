import BackupCore
import BackupTesting
import Testing

@Suite struct TablePatternTests {
    @Test(arguments: [
        ("users", "public", "users", true), ("users", "sales", "users", false),
        ("users", "public", "Users", false), ("sales.*", "sales", "orders", true),
        ("sales.*", "public", "orders", false), ("*.users", "sales", "users", true),
        ("*.*", "a", "b", true), ("us?rs", "public", "users", true),
        ("us?rs", "public", "usrs", false),
        ("u*s", "public", "us", true), ("u*s*", "public", "users_old", true),
        ("*", "public", "any", true), ("*", "sales", "any", false),
        ("\"odd.schema\".\"Odd \"\"table\"\"\"", "odd.schema", "Odd \"table\"", true),
        ("\"a*\"", "public", "a*", true), ("\"a*\"", "public", "abc", false),
        ("pre\"*\"*", "public", "pre*fix", true), ("pre\"*\"*", "public", "prefix", false),
        ("日?", "public", "日本", true), ("\"\"\"\"", "public", "\"", true),
    ])
    func `a pattern means the tables that people expect`(
        text: String, schema: String, name: String, matches: Bool
    ) throws {
        let table = TableName(schema: schema, name: name)
        #expect(try TablePattern(text).matches(table, defaultSchema: "public") == matches)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a.b.c", "\"open", "a.\"open", "\"\"", "\"\".a"])
    func `what is no table name is refused`(text: String) {
        let error = #expect(throws: BackupError.self) { try TablePattern(text) }
        #expect(error?.code == .usage)
        #expect(error?.message.contains(text) == true)
    }

    @Test func `a name as it is printed means the table and no other`() throws {
        for seed in SeededGenerator.seeds(count: 500) {
            var random = SeededGenerator(seed: seed)
            let table = TableName(
                schema: "s" + random.text(maximumLength: 5),
                name: random.text(maximumLength: 5) + "t")
            let pattern = try TablePattern("\(table)")
            #expect(pattern.matches(table, defaultSchema: "public"), "seed \(seed): \(table)")
            let other = TableName(schema: table.schema, name: table.name + "x")
            #expect(!pattern.matches(other, defaultSchema: "public"), "seed \(seed): \(table)")
        }
    }

    @Test func `a name that begins with a combining character can be written`() throws {
        let table = TableName(schema: "public", name: "\u{301}.\u{301}")
        #expect(try TablePattern("\(table)").matches(table, defaultSchema: "public"))
    }

    @Test func `many wildcards on a long name are quick`() throws {
        let table = TableName(schema: "public", name: String(repeating: "a", count: 63))
        let pattern = try TablePattern(String(repeating: "a*", count: 8) + "b")
        #expect(!pattern.matches(table, defaultSchema: "public"))
    }
}
