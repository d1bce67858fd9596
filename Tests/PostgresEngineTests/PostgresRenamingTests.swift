import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresRenamingTests {
    @Test(arguments: [
        "SELECT 'it''s', E'a\\'b', \"odd \"\"name\"\"\" -- 'comment\n/* /* ' */ */ FROM t$1;",
        "$$ body ' \" $$ $tag$ $$ ' $tag$ $1 a$b$c", "'open", "\"open", "$open$ x", "/* open", "",
        "é.\"É\" = 'ß'", "a--b", "1.5e10 <> e'x'",
    ])
    func `the words of a text are the text`(text: String) {
        let bytes = SQLTokens(text).tokens.flatMap(\.bytes)
        #expect(bytes == Array(text.utf8))
    }

    @Test func `a doubled quote is one, also under an accent`() {
        let tokens = SQLTokens("\"\"\"\u{301}\" 'it''\u{301}s''!' 'a\"\"b'").tokens
        #expect(tokens.compactMap(\.identifier).map { Array($0.utf8) } == [Array("\"\u{301}".utf8)])
        #expect(
            tokens.compactMap(\.literal).map { Array($0.utf8) }
                == ["it'\u{301}s'!", "a\"\"b"].map { Array($0.utf8) })
    }

    @Test func `names in comments, strings and bodies are left alone`() {
        let text = """
            -- public.users
            SELECT 'public.users', $$ public.users $$, E'public.users' /* public.users */
            """
        #expect(renaming().applied(to: PostgresScript(text: text)).text == text)
    }

    @Test(arguments: [
        (
            "CREATE TABLE public.users (id integer)",
            "CREATE TABLE \"public\".\"users_old\" (id integer)"
        ),
        ("x \"public\".\"users\".id", "x \"public\".\"users_old\".id"),
        (
            "nextval('public.users_id_seq'::regclass)",
            "nextval('\"public\".\"users_old_id_seq\"'::regclass)"
        ),
        ("other.users", "other.users"), ("public.users2", "public.users2"),
        (
            "CREATE UNIQUE INDEX users_name ON public.users USING btree (users_name)",
            "CREATE UNIQUE INDEX \"users_old_name\" ON \"public\".\"users_old\" USING btree (users_name)"
        ),
        (
            "ADD CONSTRAINT users_pkey PRIMARY KEY (id)",
            "ADD CONSTRAINT \"users_old_pkey\" PRIMARY KEY (id)"
        ),
        ("CLUSTER ON users_pkey", "CLUSTER ON \"users_old_pkey\""),
        (
            "REPLICA IDENTITY USING INDEX users_name",
            "REPLICA IDENTITY USING INDEX \"users_old_name\""
        ),
        (
            "COMMENT ON INDEX public.users_name IS 'public.users_name'",
            "COMMENT ON INDEX \"public\".\"users_old_name\" IS 'public.users_name'"
        ),
        ("'public.users'::text", "'public.users'::text"),
        // A row as a value has no schema.
        (
            "CREATE TABLE public.users (CHECK ((users.* IS NOT NULL)))",
            "CREATE TABLE \"public\".\"users_old\" (CHECK ((\"users_old\".* IS NOT NULL)))"
        ),
        (
            "SELECT 1; CREATE INDEX i ON public.users USING btree (s.f(users.*))",
            "SELECT 1; CREATE INDEX i ON \"public\".\"users_old\" USING btree (s.f(\"users_old\".*))"
        ),
        (
            "CREATE INDEX i ON public.users USING btree ((a OPERATOR(users.*) b))",
            "CREATE INDEX i ON \"public\".\"users_old\" USING btree ((a OPERATOR(users.*) b))"
        ),
        (
            "ALTER TABLE public.users SET (x); CREATE VIEW s.v AS SELECT users.* FROM s.users",
            "ALTER TABLE \"public\".\"users_old\" SET (x); CREATE VIEW s.v AS SELECT users.* FROM s.users"
        ),
    ])
    func `every place that names the table or what it owns is renamed`(
        before: String, after: String
    ) {
        #expect(renaming().applied(to: PostgresScript(text: before)).text == after)
    }

    @Test func `names that are taken are avoided, and none is longer than 63 bytes`() {
        let taken: Set<String> = ["users_old_name", "users_old_name1"]
        #expect(renaming(taken).names[name("users_name")] == name("users_old_name2"))
        let long = String(repeating: "é", count: 31)
        let new = renaming(to: long).names[name("users_name")]?.name ?? ""
        #expect(new.utf8.count <= 63 && new.hasSuffix("_name"))
    }

    @Test func `a script is what lies between the lines that only psql knows`() {
        let rendered = """
            --
            -- PostgreSQL database dump
            --

            \\restrict abc

            SET statement_timeout = 0;
            SET transaction_timeout = 0;

            --
            -- Name: f(); Type: FUNCTION; Schema: public; Owner: shop
            --

            CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$
            SELECT '
            \\restrict stays
            SET transaction_timeout = 1;
            ' $$;

            ALTER FUNCTION public.f() OWNER TO shop;
            GRANT SELECT ON TABLE public.users TO anna, "Odd ""role"" x";

            --
            -- PostgreSQL database dump complete
            --

            \\unrestrict abc

            """
        let script = PostgresScript(Array(rendered.utf8), major: 15)
        #expect(!script.text.contains("\\restrict abc"))
        #expect(!script.text.contains("\\unrestrict"))
        #expect(!script.text.contains("SET transaction_timeout = 0"))
        #expect(script.text.contains("\\restrict stays\nSET transaction_timeout = 1;"))
        #expect(
            PostgresScript(Array(rendered.utf8), major: 17).text.contains("transaction_timeout = 0")
        )
        let roles = script.roles(among: ["anna", "Odd \"role\" x", "shop", "users", "absent"])
        #expect(roles.all == ["anna", "Odd \"role\" x", "shop"])
        #expect(roles.owners == ["shop"])
        let position = script.text.unicodeScalars.count - 20
        #expect(script.entry(at: position) == "FUNCTION public.f()")
        #expect(!script.drops.text.contains("CREATE FUNCTION"))
    }

    @Test func `bytes that are no text stay, under other names too`() {
        let before = Array("CREATE TABLE public.users (word text DEFAULT 'caf".utf8) + [0xE9]
        let rendered = before + Array("');\n-- Name: x\n".utf8)
        let script = PostgresScript(rendered, major: 18)
        #expect(script.bytes == rendered)
        let renamed = renaming().applied(to: script).bytes
        #expect(renamed.contains(0xE9))
        #expect(renamed.starts(with: "CREATE TABLE \"public\".\"users_old\" (".utf8))
        #expect(script.drops.bytes == before + Array("');".utf8))
    }

    @Test func `collations of the server itself are found`() {
        let script = PostgresScript(
            text:
                "a text COLLATE pg_catalog.\"de_DE.utf8\", b text COLLATE public.own, 'COLLATE pg_catalog.x'"
        )
        #expect(script.collations == ["de_DE.utf8"])
    }

    @Test func `tablespaces that things are put into are found`() {
        let script = PostgresScript(
            text: """
                SET default_tablespace = fast;
                CREATE TABLE a (i integer);
                SET default_tablespace = '';
                SET default_tablespace = "On ""two"" disks";
                SET default_tablespace = fast;
                CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$
                SET default_tablespace = none;
                $$ SET default_tablespace TO 'none';
                """)
        #expect(script.tablespaces == ["fast", "On \"two\" disks"])
    }

    private func name(_ name: String) -> TableName { TableName(schema: "public", name: name) }

    private func renaming(
        _ taken: Set<String> = [], to new: String = "users_old"
    ) -> PostgresRenaming {
        let archive = PostgresArchive(
            list: """
                1; 1259 100 TABLE public users shop
                2; 1259 101 SEQUENCE public users_id_seq shop
                3; 1259 102 INDEX public users_name shop
                4; 2606 103 CONSTRAINT public users users_pkey shop
                """)
        var request = TargetRequest(
            database: "x", definition: SchemaDefinition(sql: [], dump: nil, owners: ["shop"]),
            sourceVersion: "18", encoding: "UTF8", databaseProperties: [:])
        request.defaultSchema = "public"
        return PostgresRenaming(
            name("users"), to: name(new), entries: archive.entries,
            names: PostgresArchiveNames(archive, request)
        ) { taken.contains($0.name) }
    }
}
