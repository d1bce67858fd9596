import BackupCore
import Testing

@testable import PostgresEngine

/// What tables become that inherit columns.
@Suite struct PostgresTypeFittingTests {
    private static func name(_ name: String) -> TableName {
        TableName(schema: "public", name: name)
    }

    private static func isTurned(_ table: String, _ fitting: PostgresTypeFitting) -> Bool {
        fitting.turned(name(table)) != nil
    }

    private static func columns(_ names: String...) -> [PostgresTypeShape.Attribute] {
        names.map { PostgresTypeShape.Attribute(name: $0, type: "integer") }
    }

    /// `child` got `c` when it had `b` already; `plain` inherits nothing.
    private static let definitions = PostgresTypeDefinitions(
        PostgresScript(
            text: """
                CREATE TABLE public.parent (
                    a integer,
                    c integer
                );
                CREATE TABLE public.child (
                    b integer
                )
                INHERITS (public.parent);
                CREATE TABLE public.plain (
                    b integer,
                    a integer
                );
                """),
        stored: [
            name("parent"): columns("a", "c"), name("child"): columns("a", "b", "c"),
            name("plain"): columns("b", "a"),
        ])

    @Test func `columns that a table inherits come first where it is made`() {
        let fitting = PostgresTypeFitting(Self.definitions, there: [:])
        let order = fitting.turned(Self.name("child"))
        #expect(order?.were == ["a", "b", "c"])
        #expect(order?.are == ["a", "c", "b"])
        for name in ["parent", "plain"] { #expect(!Self.isTurned(name, fitting)) }
        for name in ["parent", "child", "plain"] {
            #expect(fitting.problems(of: Self.name(name)).isEmpty)
        }
    }

    @Test func `a table that is there has the order that it has`() {
        let kept = PostgresTypeFitting(
            Self.definitions, there: [Self.name("child"): .composite(Self.columns("a", "b", "c"))])
        #expect(!Self.isTurned("child", kept))
        #expect(kept.problems(of: Self.name("child")).isEmpty)
        let turned = PostgresTypeFitting(
            Self.definitions, there: [Self.name("child"): .composite(Self.columns("a", "c", "b"))])
        #expect(!Self.isTurned("child", turned))
        #expect(
            turned.problems(of: Self.name("child"))
                == ["type public.child is (a, c, b), and was (a, b, c)"])
    }

    @Test func `a table that is made has the columns of what is there`() {
        var load = TableLoad(
            table: Self.name("copy"), loadsThrough: nil, columns: ["a", "b", "c"])
        load.types = ["integer", "integer", "integer"]
        func problems(_ parent: [PostgresTypeShape.Attribute]) -> [String] {
            PostgresTypeFitting(Self.definitions, there: [Self.name("parent"): .composite(parent)])
                .problems(of: load, named: Self.name("child"))
        }
        #expect(problems(Self.columns("c", "more", "a")).isEmpty)
        #expect(problems(Self.columns("a")) == ["public.copy has no column c"])
        let narrow = PostgresTypeShape.Attribute(name: "a", type: "smallint")
        #expect(
            problems([narrow] + Self.columns("c"))
                == ["column a of public.copy is smallint, and was integer"])
    }
}
