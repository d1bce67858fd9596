import Testing

@testable import PostgresEngine

/// What a change of the catalogs says about rows that were read meanwhile.
@Suite struct PostgresMeaningTests {
    private static let before = meaning([
        "schema 1": ("10", "public", "owner"), "type 2": ("20", "mood", ""),
        "type 2 output 3": ("30", "enum_out", "owner"), "relation 4": ("a", "a", ""),
    ])

    @Test func `what stayed, and what another access explains, means the same`() {
        #expect(Self.before.change(to: Self.before) == nil)
        #expect(Self.changed("schema 1", ("11", "public", "owner more=U")) == nil)
        #expect(Self.changed("type 2 output 3", ("31", "enum_out", "other")) == nil)
        // Names of functions are in it, which have versions of their own.
        #expect(Self.changed("type 2", ("20", "mood, in other words", "")) == nil)
    }

    @Test func `what was changed, or changed back, does not`() {
        #expect(Self.changed("schema 1", ("11", "public", "owner")) == "schema")
        #expect(Self.changed("schema 1", ("11", "elsewhere", "owner more=U")) == "schema")
        #expect(Self.changed("type 2 output 3", ("31", "other_out", "other")) == "type")
        #expect(Self.changed("relation 4", ("b", "b", "")) == "relation")
        #expect(Self.changed("type 2", nil) == "type")
    }

    @Test func `what is made meanwhile matters where values are made of it`() {
        for thing in ["relation 5", "function 5", "operator 5", "named type 5", "named schema 5"] {
            #expect(Self.changed(thing, ("50", "x", "")) == nil)
        }
        #expect(Self.changed("label 5", ("50", "x", "")) == "label")
        var named = Self.before
        named.versions["named type 5"] = PostgresMeaning.Version(
            number: "50", content: "x", access: "")
        #expect(named.change(to: Self.before) == "named type")
    }

    private typealias Fields = (number: String, content: String, access: String)

    private static func meaning(_ things: [String: Fields]) -> PostgresMeaning {
        PostgresMeaning(
            versions: things.mapValues {
                PostgresMeaning.Version(number: $0.number, content: $0.content, access: $0.access)
            })
    }

    /// What is said of a change of one thing; nil fields where it is gone.
    private static func changed(_ thing: String, _ fields: Fields?) -> String? {
        var after = before
        after.versions[thing] = fields.map {
            PostgresMeaning.Version(number: $0.number, content: $0.content, access: $0.access)
        }
        return before.change(to: after)
    }
}
