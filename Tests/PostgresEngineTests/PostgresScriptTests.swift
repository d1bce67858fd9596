import Testing

@testable import PostgresEngine

/// What a script that pg_restore renders names.
@Suite struct PostgresScriptTests {
    @Test func `policies and user mappings name roles, and nothing else does`() {
        let script = PostgresScript(
            text: """
                CREATE VIEW app.seen AS SELECT t.id FROM app.t; -- CREATE POLICY x ON t TO nobody;
                CREATE POLICY "to" ON app.t AS RESTRICTIVE FOR SELECT TO alice, "The ""big"" Boss" USING ((id IN
                  ( SELECT other.id FROM app.other WHERE (other.note = 'CREATE POLICY y ON t TO nobody;'))));
                CREATE POLICY own ON app.t FOR INSERT TO alice WITH CHECK ((id > 0));
                CREATE POLICY everybody ON app.t USING ((id > 0));
                CREATE USER MAPPING FOR bob SERVER beyond OPTIONS (
                    "user" 'carol'
                );
                CREATE USER MAPPING FOR public SERVER beyond;
                CREATE TABLE app.users (role name);
                """)
        #expect(script.rolesOfPoliciesAndMappings == ["alice", "The \"big\" Boss", "bob"])
    }

    @Test func `amounts of money are told from such as another locale has`() {
        let own = """
            CREATE TABLE t (m money DEFAULT '-$1,234.50'::money, v text DEFAULT '12,30'::text, money int);
            COMMENT ON TABLE t IS 'as ''12,30''::money';
            """
        #expect(PostgresScript(text: own).foreignMoney == nil)
        for amount in ["$ 12,30", "12,30 €", "¥1,234"] {
            let script = own + "ALTER TABLE t ADD CHECK ((m < '\(amount)'::money));"
            #expect(PostgresScript(text: script).foreignMoney == amount)
        }
    }

    @Test func `amounts in arrays of money are looked at one by one`() {
        let own = [
            #"'{$1.00,"$2,000.00",NULL}'"#, "'{}'", "'[0:1]={-$1.00,NULL}'",
            "'{{$1.00,$2.00},{$3.00,$4.00}}'",
        ]
        for array in own {
            let script = "ALTER TABLE t ALTER m SET DEFAULT \(array)::money[];"
            #expect(PostgresScript(text: script).foreignMoney == nil, "\(array)")
        }
        let foreign = [
            ("'{$1.00,12}'", "12"), (#"'{{NULL},{"12,30 €"}}'"#, "12,30 €"),
            (#"'{"a\"b,{}"}'"#, #"a"b,{}"#),
        ]
        for (array, amount) in foreign {
            let script = "ALTER TABLE t ALTER m SET DEFAULT \(array)::money [];"
            #expect(PostgresScript(text: script).foreignMoney == amount, "\(array)")
        }
    }

    @Test func `what gives things to their owners is found, and nothing that looks like it`() {
        let head = "SET client_encoding = 'UTF8';\n"
        let script = PostgresScript(
            text: """
                \(head)
                -- Name: f(integer); Type: FUNCTION; Schema: public; Owner: shop
                --

                CREATE FUNCTION public.f(integer) RETURNS text LANGUAGE sql AS $$
                SELECT 'x';
                ALTER TABLE public.t OWNER TO nobody;
                $$;


                ALTER FUNCTION public.f(integer) OWNER TO shop;

                --
                -- Name: odd; Type: VIEW; Schema: public; Owner: The Boss
                --

                CREATE VIEW public."odd;
                ALTER" AS SELECT 'y
                ALTER TABLE public.t OWNER TO nobody; --';


                ALTER TABLE public."odd;
                ALTER" OWNER TO "The Boss";

                ALTER TABLE ONLY public.t ALTER COLUMN id SET DEFAULT 'OWNER TO nobody';
                ALTER DEFAULT PRIVILEGES FOR ROLE shop GRANT SELECT ON TABLES TO nobody;
                ALTER SEQUENCE public.s OWNED BY public.t.id;
                """)
        #expect(
            script.ownerChanges.map(\.text) == [
                "\(head)\nALTER FUNCTION public.f(integer) OWNER TO shop;",
                "\(head)\nALTER TABLE public.\"odd;\nALTER\" OWNER TO \"The Boss\";",
            ])
        #expect(PostgresScript(text: head).ownerChanges.isEmpty)
    }

    @Test func `waits for locks are limited in the head of a script alone`() {
        let rest = """
            SET row_security = off;

            -- Name: f(); Type: FUNCTION; Schema: public; Owner: shop

            CREATE FUNCTION public.f() RETURNS void LANGUAGE sql AS $$
            SET lock_timeout = 0;
            $$;
            """
        let script = PostgresScript(text: "--\nSET lock_timeout = 0;\n\(rest)")
        #expect(
            script.limitingLockWaits(to: "60s").text == "--\nSET lock_timeout = '60s';\n\(rest)")
        #expect(PostgresScript(text: rest).limitingLockWaits(to: "60s").text == rest)
    }

    @Test func `a script is taken apart where entries begin, and nowhere in a name`() {
        let head = "SET lock_timeout = 0;\n\n--\n"
        let first = """
            -- TOC entry 7 (class 2606 OID 16400)
            -- Name: a "odd"; Type: FK CONSTRAINT; Schema: public; Owner: shop
            ALTER TABLE public.a ADD CONSTRAINT "odd
            -- TOC entry 8 (class 2606 OID 16401)
            " FOREIGN KEY (b) REFERENCES public.b(id);

            --

            """
        let second = """
            -- TOC entry 12 (class 2606 OID 16402)
            -- Name: c; Type: FK CONSTRAINT; Schema: public; Owner: shop
            ALTER TABLE public.c ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES public.b(id);
            """
        let entries = PostgresScript(text: head + first + second).entries
        #expect(entries.map { $0.id } == [7, 12])
        #expect(
            entries.map { $0.script.text } == ["\(head)\n\(first)", "\(head)\n\(second)"])
        #expect(PostgresScript(text: head).entries.isEmpty)
    }

    @Test func `servers that have no unlogged sequences are told of none`() {
        let (newer, older) = (Self.sequences(" UNLOGGED", "    LOGGED\n"), Self.sequences("", ""))
        #expect(PostgresScript(Array(newer.utf8), major: 14).text == older)
        #expect(PostgresScript(Array(newer.utf8), major: 15).text == newer)
        #expect(PostgresScript(Array(older.utf8), major: 14).text == older)
        let other = Self.sequences(" UNLOGGED", "    UNLOGGED\n")
        #expect(PostgresScript(Array(other.utf8), major: 14).text == older)
    }

    /// With lines that look like what pg_dump writes, in names and texts.
    private static func sequences(_ creation: String, _ identity: String) -> String {
        """
        -- Name: f(); Type: FUNCTION; Schema: public; Owner: shop

        CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$
        ALTER TABLE public.t ALTER COLUMN i ADD GENERATED ALWAYS AS IDENTITY (
            SEQUENCE NAME public.t_i_seq
            LOGGED
        );
        CREATE UNLOGGED SEQUENCE public.s;
        $$;

        -- Name: t; Type: TABLE; Schema: public; Owner: shop

        CREATE UNLOGGED TABLE public.logged (
            unlogged integer,
            "a
            LOGGED
        " text DEFAULT 'x
            LOGGED
        '::text
        );

        -- Name: t_i_seq; Type: SEQUENCE; Schema: public; Owner: shop

        ALTER TABLE public.logged ALTER COLUMN unlogged ADD GENERATED ALWAYS AS IDENTITY (
            SEQUENCE NAME logged.unlogged
        \(identity)    START WITH 1
            CACHE 1
        );

        -- Name: s; Type: SEQUENCE; Schema: public; Owner: shop

        CREATE\(creation) SEQUENCE public.unlogged
            START WITH 1
            CACHE 1;

        ALTER SEQUENCE public.unlogged OWNED BY public.logged.unlogged;
        """
    }
}
