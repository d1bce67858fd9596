import BackupCore
import Testing

@Suite struct TableNameTests {
    @Test(arguments: [
        ("public", "users", "public.users"), ("Sales", "Orders", "Sales.Orders"),
        ("a.b", "c", "\"a.b\".c"), ("a", "say \"hi\"", "a.\"say \"\"hi\"\"\""),
        ("a", "b*", "a.\"b*\""), ("a", "b?", "a.\"b?\""), ("a", "two words", "a.\"two words\""),
        ("", "x", "\"\".x"), ("日本", "é", "日本.é"),
    ])
    func `a name is written as the command line reads it`(
        schema: String, name: String, text: String
    ) {
        #expect("\(TableName(schema: schema, name: name))" == text)
    }

    @Test func `names are in order of schema, then name, byte by byte`() {
        let names = [("a", "b"), ("a", "B"), ("B", "x"), ("a", "é"), ("a", "z")]
            .map { TableName(schema: $0.0, name: $0.1) }
        #expect(names.sorted().map(\.description) == ["B.x", "a.B", "a.b", "a.z", "a.é"])
    }

    @Test func `two names that only look the same are two names`() {
        // One character, and a letter with a combining accent: two tables for every server.
        let one = TableName(schema: "public", name: "caf\u{E9}")
        let other = TableName(schema: "public", name: "cafe\u{301}")
        #expect(one != other)
        #expect(Set([one, other]).count == 2)
        #expect((one < other) != (other < one))
    }
}
