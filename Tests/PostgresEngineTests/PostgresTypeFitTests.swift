import Testing

@testable import PostgresEngine

@Suite struct PostgresTypeFitTests {
    @Test(arguments: [
        ("integer", "integer"), ("smallint", "bigint"), ("integer", "numeric"),
        ("numeric(12,4)", "numeric"), ("character varying(20)", "character varying(30)"),
        ("character varying(20)", "text"), ("character varying", "text"),
        ("timestamp(3) without time zone", "timestamp without time zone"), ("mood", "mood"),
    ])
    func `a type with at least as much room takes every value`(source: String, target: String) {
        #expect(PostgresTypeFit.holds(source, in: target))
    }

    @Test(arguments: [
        ("bigint", "integer"), ("numeric(12,4)", "numeric(12,2)"), ("numeric", "numeric(12,4)"),
        ("character varying(30)", "character varying(20)"), ("text", "character(20)"),
        ("character(10)", "character(20)"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("timestamp without time zone", "date"), ("json", "jsonb"), ("text", "character varying"),
        ("time without time zone", "time(0) without time zone"), ("double precision", "real"),
    ])
    func `a type that may change values does not fit`(source: String, target: String) {
        #expect(!PostgresTypeFit.holds(source, in: target))
    }
}
