import BackupCore
import Testing

@testable import PostgresEngine

/// Ties are written as `first>then`.
@Suite struct PostgresLockOrderTests {
    private func table(_ name: some StringProtocol) -> TableName {
        TableName(schema: "s", name: String(name))
    }

    private func order(_ tables: [String], _ ties: [String]) -> [String] {
        PostgresLockOrder.of(
            Set(tables.map { table($0) }),
            ties.map { tie in
                let names = tie.split(separator: ">")
                return PostgresLockOrder.Tie(first: table(names[0]), then: table(names[1]))
            }
        ).map(\.name)
    }

    @Test func `tables without ties come by their names`() {
        #expect(order(["c", "a", "b"], []) == ["a", "b", "c"])
        #expect(order([], ["a>b"]) == [])
    }

    @Test func `what refers comes before what it refers to`() {
        #expect(order(["people", "pets"], ["pets>people"]) == ["pets", "people"])
        #expect(
            order(["cities", "people", "pets"], ["pets>people", "people>cities", "pets>people"])
                == ["pets", "people", "cities"])
    }

    @Test func `a whole comes before its parts, and both after what refers to the whole`() {
        #expect(
            order(
                ["a_part", "b_part", "orders", "whole"],
                ["whole>a_part", "whole>b_part", "orders>whole", "orders>a_part", "orders>b_part"])
                == ["orders", "whole", "a_part", "b_part"])
    }

    @Test func `a table that refers to itself, and a circle, end`() {
        #expect(order(["a", "b"], ["a>a", "b>a"]) == ["b", "a"])
        #expect(
            order(["a", "b", "c", "d"], ["a>b", "b>c", "c>b", "d>a"]) == ["d", "a", "b", "c"])
        #expect(order(["a", "b"], ["a>b", "b>a"]) == ["a", "b"])
    }

    @Test func `ties to other tables mean nothing`() {
        #expect(order(["a", "b"], ["x>a", "b>x"]) == ["a", "b"])
    }

    @Test func `thousands of parts are ordered at once`() {
        let parts = (0..<5000).map { "part_\($0)" }
        let ordered = order(
            ["whole", "orders"] + parts, ["orders>whole"] + parts.map { "whole>\($0)" })
        #expect(ordered.prefix(2) == ["orders", "whole"])
        #expect(ordered.dropFirst(2) == parts.sorted()[...])
    }
}
