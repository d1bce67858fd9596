import Testing

@testable import PostgresEngine

@Suite struct PostgresTypeFitTests {
    private static let fitting: [(String, String)] = [
        ("integer", "integer"), ("smallint", "bigint"), ("integer", "numeric"),
        ("numeric(12,4)", "numeric"), ("character varying(20)", "character varying(30)"),
        ("character varying(20)", "text"), ("character varying", "text"),
        ("timestamp(3) without time zone", "timestamp without time zone"), ("mood", "mood"),
        ("text", "character varying"), ("character(10)", "bpchar"), ("character(10)", "text"),
        ("character(10)", "character varying"), ("character(10)", "character varying(10)"),
        ("bpchar", "text"), ("name", "text"), ("name", "character varying"),
        ("bit(3)", "bit varying"), ("bit(3)", "bit varying(3)"), ("bit(3)", "\"bit\""),
        ("\"bit\"", "bit varying"), ("bit varying(3)", "bit varying(4)"),
        ("bit varying(3)", "bit varying"),
        ("oid", "bigint"), ("smallint", "numeric(5,0)"), ("integer", "numeric(12,0)"),
        ("bigint", "numeric(19,0)"), ("numeric(12,4)", "numeric(14,4)"),
        ("timestamp(3) with time zone", "timestamp(6) with time zone"),
        ("time(0) without time zone", "time(3) without time zone"),
        ("interval(3)", "interval(6)"), ("interval day to second(3)", "interval"),
        ("interval year", "interval"), ("jsonb", "json"), ("json", "text"), ("uuid", "text"),
        ("int4range", "int8range"), ("integer[]", "bigint[]"),
        ("character varying(20)[]", "character varying(30)[]"), ("character(3)[]", "text[]"),
        ("geometry(Point,4326)", "geometry"),
    ]

    @Test(arguments: fitting)
    func `a type with at least as much room takes every value`(source: String, target: String) {
        #expect(PostgresTypeFit.holds(source, in: target))
    }

    private static let other: [(String, String)] = [
        ("bigint", "integer"), ("numeric(12,4)", "numeric(12,2)"), ("numeric", "numeric(12,4)"),
        ("character varying(30)", "character varying(20)"), ("text", "character(20)"),
        ("character(10)", "character(20)"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("timestamp without time zone", "date"), ("json", "jsonb"),
        ("time without time zone", "time(0) without time zone"), ("double precision", "real"),
        // Of the same digits another number.
        ("real", "double precision"),
        // Without the mask of a single address.
        ("cidr", "inet"), ("inet", "cidr"),
        ("character(10)", "character varying(9)"), ("character varying(10)", "bpchar"),
        ("bpchar", "character varying(10)"), ("text", "character varying(10)"), ("text", "name"),
        ("name", "character varying(10)"), ("bit(3)", "bit(4)"), ("bit(3)", "bit varying(2)"),
        ("bit varying(3)", "bit(3)"), ("bit varying", "bit varying(3)"),
        ("integer", "numeric(9,0)"), ("integer", "numeric(12,2)"), ("numeric(12,4)", "bigint"),
        ("numeric(12,4)", "numeric(14,6)"), ("numeric(12,2)", "numeric(10,2)"),
        ("integer", "oid"), ("timestamp(6) with time zone", "timestamp(3) with time zone"),
        ("timestamp(3) with time zone", "timestamp(6) without time zone"),
        ("interval", "interval day"), ("interval(6)", "interval(3)"), ("date", "text"),
        ("interval day to second(3)", "interval hour to second(3)"), ("int4range", "numrange"),
        ("text", "text[]"), ("bigint[]", "integer[]"), ("integer[]", "integer"),
        ("\"a(1)\"", "\"a(2)\""), ("\"a(1)\"", "\"a\""), ("\u{e9}", "e\u{301}"),
    ]

    @Test(arguments: other)
    func `a type that may change values does not fit`(source: String, target: String) {
        #expect(!PostgresTypeFit.holds(source, in: target))
    }
}
