import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresPartsTests {
    /// A whole with a leaf and a part that has two leaves of its own.
    private var parts: PostgresParts {
        var presence = PostgresPresence()
        func add(_ name: String, _ kind: String, of whole: String?) {
            presence.add(
                PostgresPresence.Relation(oid: "1", kind: kind, parent: whole.map(table)),
                named: table(name))
        }
        add("whole", "p", of: nil)
        add("leaf", "r", of: "whole")
        add("half", "p", of: "whole")
        add("one", "r", of: "half")
        add("two", "r", of: "half")
        add("far", "f", of: "half")
        add("one_key", "i", of: "one")
        return PostgresParts(presence)
    }

    private func table(_ name: String) -> TableName { TableName(schema: "s", name: name) }

    @Test(
        arguments: [
            (["one", "two"], ["half"]), (["leaf", "one", "two"], ["half", "whole"]),
            (["leaf", "one"], []), (["whole"], ["whole"]), (["other"], []),
        ] as [([String], [String])])
    func `a whole changes when all of its parts do`(tables: [String], wholes: [String]) {
        #expect(parts.wholes(of: tables.map(table)) == wholes.map(table))
    }

    @Test func `only tables are parts`() {
        #expect(parts.contains(table("two")))
        #expect(!parts.contains(table("far")) && !parts.contains(table("one_key")))
    }
}
