/// What of a PostgreSQL database is no row, and changes again and again: views, functions, types, domains, sequences, schemas,
/// comments, owners and defaults.
///
/// All that one transaction changes says the same number, in a row too: whoever sees two has seen two moments.
struct ChangingObjects: ChangingThings {
    /// One of the test's own, which keeps the owners that are made.
    let server: any CampaignServer

    func make() async throws {
        try await server.query(Self.making, in: server.source)
        try await server.query(changes(0).joined(separator: "\n"), in: server.source)
    }

    func changes(_ stamp: Int) -> [String] { Self.groups.map { $0.change(to: stamp) } }

    func faults(of database: String) async throws -> [String] {
        var faults: [String] = []
        for group in Self.groups {
            let told = try await server.query(group.telling, in: database)
            let stamps = told.split(separator: "\n", omittingEmptySubsequences: false)
            if stamps.count != group.looks.count + 1 || Set(stamps).count != 1 {
                faults.append("\(group.name): of several moments: \(stamps)")
            }
        }
        return faults
    }

    // MARK: What changes together

    private struct Group {
        let name: String
        let statements: @Sendable (_ stamp: Int) -> String
        /// What gives the stamp of each, behind `SELECT`; all texts.
        let looks: [String]

        func change(to stamp: Int) -> String {
            """
            BEGIN; \(statements(stamp));
            UPDATE stamped.groups SET stamp = '\(stamp)' WHERE name = '\(name)'; COMMIT;
            """
        }

        /// The stamps of the row and of everything else.
        var telling: String {
            (["stamp FROM stamped.groups WHERE name = '\(name)'"] + looks).map { "SELECT \($0)" }
                .joined(separator: "\nUNION ALL ")
        }
    }

    private static let groups = [viewAndFunction, types, labels, domain, defaults, schema]

    private static let making = """
        CREATE ROLE stamp_owner_0; CREATE ROLE stamp_owner_1; CREATE SCHEMA stamped;
        CREATE TABLE stamped.groups (name text PRIMARY KEY, stamp text);
        INSERT INTO stamped.groups VALUES \(groups.map { "('\($0.name)')" }.joined(separator: ", "));
        CREATE TYPE stamped.word AS ENUM ('first'); CREATE TYPE stamped.words AS ENUM ('first');
        CREATE TYPE stamped.pair AS (a integer, first integer); CREATE TYPE stamped.used_word AS ENUM ('first');
        CREATE DOMAIN stamped.size AS integer CONSTRAINT limited CHECK (VALUE > 0); CREATE SEQUENCE stamped.numbers;
        CREATE TABLE stamped.used (id integer PRIMARY KEY, word stamped.used_word NOT NULL);
        INSERT INTO stamped.used SELECT i, 'first' FROM generate_series(1, 200) i;
        CREATE TABLE stamped.defaulted (id integer PRIMARY KEY, stamp integer);
        INSERT INTO stamped.defaulted SELECT i, 0 FROM generate_series(1, 200) i;
        """

    /// A comment, as text; `catalog`: where the thing is listed.
    private static func comment(on thing: String, in catalog: String) -> String {
        "coalesce(obj_description(\(thing), '\(catalog)'), 'none')"
    }

    /// The last label of a type.
    private static func label(of type: String) -> String {
        """
        (SELECT enumlabel::text FROM pg_enum WHERE enumtypid = 'stamped.\(type)'::regtype ORDER BY enumsortorder DESC LIMIT 1)
        """
    }

    private static func renamingLabel(of type: String, to stamp: Int) -> String {
        """
        DO $$BEGIN
          EXECUTE format('ALTER TYPE stamped.\(type) RENAME VALUE %L TO %L', \(label(of: type)), 'v\(stamp)');
        END$$
        """
    }

    private static let viewAndFunction = Group(
        name: "view and function",
        statements: { stamp in
            """
            CREATE OR REPLACE VIEW stamped.shown AS SELECT \(stamp) AS stamp;
            CREATE OR REPLACE FUNCTION stamped.told() RETURNS integer LANGUAGE sql AS 'SELECT \(stamp)';
            COMMENT ON VIEW stamped.shown IS '\(stamp)'; COMMENT ON FUNCTION stamped.told() IS '\(stamp)';
            COMMENT ON SCHEMA stamped IS '\(stamp)'; ALTER VIEW stamped.shown OWNER TO stamp_owner_\(stamp % 2)
            """
        },
        looks: [
            "stamp::text FROM stamped.shown", "stamped.told()::text",
            comment(on: "'stamped.shown'::regclass", in: "pg_class"),
            comment(on: "'stamped.told()'::regprocedure", in: "pg_proc"),
            comment(on: "'stamped'::regnamespace", in: "pg_namespace"),
            """
            CASE c.relowner::regrole::text WHEN 'stamp_owner_' || g.stamp::integer % 2 THEN g.stamp ELSE 'another owner' END
            FROM pg_class c, stamped.groups g WHERE c.oid = 'stamped.shown'::regclass AND g.name = 'view and function'
            """,
        ])

    private static let types = Group(
        name: "types",
        statements: { stamp in
            """
            \(renamingLabel(of: "word", to: stamp)); ALTER TYPE stamped.words ADD VALUE 'v\(stamp)';
            DROP TYPE stamped.pair; CREATE TYPE stamped.pair AS (a integer); ALTER TYPE stamped.pair ADD ATTRIBUTE v\(stamp) integer;
            COMMENT ON TYPE stamped.word IS '\(stamp)'
            """
        },
        looks: [
            "substr(\(label(of: "word")), 2)", "substr(\(label(of: "words")), 2)",
            """
            substr(a.attname::text, 2) FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum = 2
            WHERE t.oid = 'stamped.pair'::regtype
            """,
            comment(on: "'stamped.word'::regtype", in: "pg_type"),
        ])

    /// A row holds the label's number, and not its text.
    private static let labels = Group(
        name: "labels in rows",
        statements: { stamp in renamingLabel(of: "used_word", to: stamp) },
        looks: ["DISTINCT substr(word::text, 2) FROM stamped.used"])

    private static let domain = Group(
        name: "domain and sequence",
        statements: { stamp in
            """
            ALTER DOMAIN stamped.size SET DEFAULT \(stamp); ALTER DOMAIN stamped.size DROP CONSTRAINT limited;
            ALTER DOMAIN stamped.size ADD CONSTRAINT limited CHECK (VALUE <> \(stamp)); COMMENT ON DOMAIN stamped.size IS '\(stamp)';
            ALTER SEQUENCE stamped.numbers MAXVALUE \(1_000_000 + stamp); COMMENT ON SEQUENCE stamped.numbers IS '\(stamp)'
            """
        },
        looks: [
            "typdefault FROM pg_type WHERE oid = 'stamped.size'::regtype",
            """
            substring(pg_get_constraintdef(oid) FROM '[0-9]+')
            FROM pg_constraint WHERE contypid = 'stamped.size'::regtype AND contype = 'c'
            """,
            comment(on: "'stamped.size'::regtype", in: "pg_type"),
            "(seqmax - 1000000)::text FROM pg_sequence WHERE seqrelid = 'stamped.numbers'::regclass",
            comment(on: "'stamped.numbers'::regclass", in: "pg_class"),
        ])

    private static let defaults = Group(
        name: "defaults",
        statements: { stamp in
            """
            ALTER TABLE stamped.defaulted ALTER stamp SET DEFAULT \(stamp); UPDATE stamped.defaulted SET stamp = \(stamp);
            COMMENT ON COLUMN stamped.defaulted.stamp IS '\(stamp)'
            """
        },
        looks: [
            "DISTINCT stamp::text FROM stamped.defaulted",
            "pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'stamped.defaulted'::regclass",
            "coalesce(col_description('stamped.defaulted'::regclass, 2), 'none')",
        ])

    private static let schema = Group(
        name: "schema",
        statements: { stamp in
            """
            DROP SCHEMA IF EXISTS passing CASCADE; CREATE SCHEMA passing; CREATE VIEW passing.shown AS SELECT \(stamp) AS stamp;
            CREATE FUNCTION passing.told() RETURNS integer LANGUAGE sql AS 'SELECT \(stamp)';
            COMMENT ON SCHEMA passing IS '\(stamp)'
            """
        },
        looks: [
            "stamp::text FROM passing.shown", "passing.told()::text",
            comment(on: "'passing'::regnamespace", in: "pg_namespace"),
        ])
}
