import BackupCore
import Testing

@testable import PostgresEngine

/// What types are made of, as pg_restore writes it.
@Suite struct PostgresTypeDefinitionsTests {
    private static func name(_ name: String, _ schema: String = "public") -> TableName {
        TableName(schema: schema, name: name)
    }

    private static func shape(
        _ statement: String, _ type: String = "t"
    ) -> PostgresTypeShape? {
        PostgresTypeDefinitions(PostgresScript(text: statement)).shapes[name(type)]
    }

    @Test func `the base of a domain ends where its conditions begin`() {
        let bases = [
            "numeric(10,4) NOT NULL DEFAULT 1\n\tCONSTRAINT pos CHECK ((VALUE > (0)::numeric))":
                "numeric(10,4)",
            "numeric(10,4) CONSTRAINT filled NOT NULL": "numeric(10,4)",
            "timestamp(3) with time zone": "timestamp(3) with time zone",
            "text COLLATE pg_catalog.\"C\" DEFAULT 'a;b'::text": "text",
            "interval day to second(3)[]": "interval day to second(3)[]",
            "public.\"Odd \"\"one\"[] DEFAULT NULL::numeric[]": "public.\"Odd \"\"one\"[]",
            "\"bit\"": "\"bit\"",
            "options.t NOT NULL": "options.t",
            "generated.options[] DEFAULT NULL::generated.options[]": "generated.options[]",
        ]
        for (text, base) in bases {
            #expect(Self.shape("CREATE DOMAIN public.t AS \(text);") == .domain(base: base))
        }
    }

    @Test func `a range and its multirange have one subtype`() {
        let text = """
            CREATE TYPE public.t AS RANGE (
                subtype = timestamp without time zone,
                multirange_type_name = sales."my t",
                subtype_diff = public.far
            );
            """
        let definitions = PostgresTypeDefinitions(PostgresScript(text: text))
        let range = PostgresTypeShape.range(subtype: "timestamp without time zone")
        #expect(definitions.shapes == [Self.name("t"): range, Self.name("my t", "sales"): range])
        #expect(definitions.unknown.isEmpty)
    }

    @Test func `a composite type has its attributes in order`() {
        let text = """
            CREATE TYPE public.t AS (
            \ta numeric(10,2),
            \t"b, c" text COLLATE pg_catalog."C",
            \tp public.price[]
            );
            """
        #expect(
            Self.shape(text)
                == .composite([
                    .init(name: "a", type: "numeric(10,2)"), .init(name: "b, c", type: "text"),
                    .init(name: "p", type: "public.price[]"),
                ]))
        #expect(Self.shape("CREATE TYPE public.t AS (\n);") == .composite([]))
    }

    @Test func `rows of a table have its columns, in the order of the source where that is known`()
    {
        let text = """
            CREATE TABLE public.wide (
                a integer NOT NULL,
                options numeric(10,4) DEFAULT 1,
                c public.options GENERATED ALWAYS AS (((a * 2))) STORED,
                d text COLLATE pg_catalog."C",
                CONSTRAINT x CHECK (((a > 0) AND (a < 5))),
                NOT NULL d
            )
            WITH (fillfactor='70');
            CREATE UNLOGGED TABLE public.heir (
                a integer,
                z text
            )
            INHERITS (public.wide);
            CREATE TABLE public.same (
            )
            INHERITS (public.wide);
            CREATE TABLE public.mixed (
                z text
            )
            INHERITS (public.wide);
            CREATE FOREIGN TABLE public.away (
                id integer OPTIONS (column_name 'a, b') NOT NULL
            )
            SERVER far OPTIONS (table_name 't');
            CREATE TABLE public.none (
            )
            PARTITION BY LIST (z);
            CREATE TABLE public.typed OF public.none;
            CREATE TABLE public.lost (
            )
            INHERITS (public.missing);
            CREATE VIEW public.v AS
             SELECT 1 AS x;
            CREATE MATERIALIZED VIEW public.m AS
             SELECT 1 AS x
              WITH NO DATA;
            CREATE FOREIGN DATA WRAPPER w;
            """
        let heir: [PostgresTypeShape.Attribute] = [
            .init(name: "a", type: "integer"), .init(name: "z", type: "text"),
            .init(name: "d", type: "text"),
        ]
        let definitions = PostgresTypeDefinitions(
            PostgresScript(text: text), stored: [Self.name("heir"): heir])
        let wide: [PostgresTypeShape.Attribute] = [
            .init(name: "a", type: "integer"), .init(name: "options", type: "numeric(10,4)"),
            .init(name: "c", type: "public.options"), .init(name: "d", type: "text"),
        ]
        #expect(
            definitions.shapes == [
                Self.name("wide"): .composite(wide),
                Self.name("heir"): .composite(heir), Self.name("same"): .composite(wide),
                Self.name("away"): .composite([.init(name: "id", type: "integer")]),
                Self.name("none"): .composite([]), Self.name("typed"): .composite([]),
            ])
        #expect(
            definitions.unknown
                == [Self.name("mixed"), Self.name("lost"), Self.name("v"), Self.name("m")])
    }

    @Test func `labels and functions are left to the server, and what nobody knows is named`() {
        #expect(Self.shape("CREATE TYPE public.t AS ENUM (\n    'a',\n    'b;c'\n);") == .other)
        #expect(Self.shape("CREATE TYPE public.t (\n    INPUT = public.t_in\n);") == .other)
        let strange = PostgresTypeDefinitions(
            PostgresScript(text: "CREATE TYPE public.t AS LIST OF integer;"))
        #expect(strange.shapes.isEmpty)
        #expect(strange.unknown == [Self.name("t")])
    }

    @Test func `only statements make types, and nothing that looks like one`() {
        let text = """
            SET client_encoding = 'UTF8';
            -- CREATE DOMAIN public.a AS text;
            COMMENT ON TYPE public.t IS 'CREATE DOMAIN public.b AS text;';
            CREATE DOMAIN public.t AS text DEFAULT '
            CREATE DOMAIN public.c AS text;
            '::text;
            ALTER DOMAIN public.t OWNER TO shop;
            """
        let definitions = PostgresTypeDefinitions(PostgresScript(text: text))
        #expect(definitions.shapes == [Self.name("t"): .domain(base: "text")])
    }

    @Test func `what a type is made of is found at any depth`() {
        let text = """
            CREATE DOMAIN public.price AS numeric(10,4);
            CREATE TYPE public.pair AS (a public.price[], b sales."odd t");
            CREATE DOMAIN public.pairs AS public.pair[];
            CREATE DOMAIN public.unused AS text;
            """
        let definitions = PostgresTypeDefinitions(PostgresScript(text: text))
        #expect(
            definitions.withParts([Self.name("pairs")]) == [
                Self.name("pairs"), Self.name("pair"), Self.name("price"),
                Self.name("odd t", "sales"),
            ])
        #expect(PostgresTypeDefinitions.name(in: "numeric(10,4)[]") == nil)
        #expect(PostgresTypeDefinitions.name(in: "double precision") == nil)
        #expect(
            PostgresTypeDefinitions.name(in: "\"a.b\".\"c d\"[]") == Self.name("c d", "a.b"))
    }

    // MARK: Whether values stay

    private static func problems(
        _ was: PostgresTypeShape, _ there: PostgresTypeShape
    ) -> [String] {
        was.problems(in: there, named: name("t"))
    }

    @Test func `a domain and a range hold what theirs in the backup held`() {
        #expect(
            Self.problems(.domain(base: "numeric(10,4)"), .domain(base: "numeric(12,4)")).isEmpty)
        #expect(
            Self.problems(.domain(base: "numeric(10,4)"), .domain(base: "numeric(10,2)"))
                == ["type public.t is numeric(10,2), and was numeric(10,4)"])
        #expect(
            Self.problems(.domain(base: "numeric[]"), .domain(base: "numeric(6,1)[]"))
                == ["type public.t is numeric(6,1)[], and was numeric[]"])
        #expect(Self.problems(.range(subtype: "integer"), .range(subtype: "bigint")).isEmpty)
        #expect(
            Self.problems(.range(subtype: "timestamp without time zone"), .range(subtype: "date"))
                == [
                    "type public.t is a range of date, and was one of timestamp without time zone"
                ])
        #expect(
            Self.problems(.domain(base: "text"), .composite([]))
                == ["type public.t is of another kind"])
        #expect(Self.problems(.other, .domain(base: "text")).isEmpty)
    }

    @Test func `attributes are the same in number and order, and hold as much`() {
        let pair = PostgresTypeShape.composite([
            .init(name: "a", type: "integer"), .init(name: "b", type: "text"),
        ])
        #expect(Self.problems(pair, pair).isEmpty)
        #expect(
            Self.problems(
                pair,
                .composite([.init(name: "b", type: "text"), .init(name: "a", type: "integer")]))
                == ["type public.t is (b, a), and was (a, b)"])
        #expect(
            Self.problems(pair, .composite([.init(name: "a", type: "integer")]))
                == ["type public.t is (a), and was (a, b)"])
        #expect(
            Self.problems(
                pair,
                .composite([.init(name: "a", type: "bigint"), .init(name: "b", type: "date")]))
                == ["attribute b of type public.t is date, and was text"])
    }
}
