import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresLoadOrderTests {
    /// Tables, foreign keys as `child>parent`, and the order.
    @Test(arguments: [
        ("a b c", "", "a b c"), ("a b c", "a>b", "b c a"), ("a b c", "a>b b>c", "c b a"),
        ("a b c", "a>c b>c", "c a b"), ("a b", "a>a", "a b"), ("a b", "a>elsewhere", "a b"),
        ("a b c", "a>b b>a", "c a b"), ("a b c", "a>b b>a c>a", "a b c"), ("", "a>b", ""),
    ])
    func `tables follow those that they refer to`(
        tables: String, references: String, expected: String
    ) {
        func name(_ text: Substring) -> TableName { TableName(schema: "s", name: String(text)) }
        let order = PostgresLoadOrder.of(
            tables.split(separator: " ").map(name),
            references.split(separator: " ").map { pair in
                let ends = pair.split(separator: ">")
                return .init(table: name(ends[0]), to: name(ends[1]))
            })
        #expect(order == expected.split(separator: " ").map(name))
    }
}
