import Testing

@testable import PostgresEngine

/// What the scripts of archives tell about their entries.
@Suite struct PostgresArchiveRestoreTests {
    @Test func `rights that are taken from everybody are not taken from an owner`() {
        let script = """
            -- TOC entry 5 (class 2615 OID 16400)
            -- Name: closed; Type: SCHEMA; Schema: -; Owner: shop
            --

            CREATE SCHEMA closed;

            --
            -- TOC entry 3701 (class 0 OID 0)
            -- Dependencies: 5
            -- Name: SCHEMA closed; Type: ACL; Schema: -; Owner: shop
            --

            REVOKE ALL ON SCHEMA closed FROM shop;
            GRANT USAGE ON SCHEMA closed TO shop;

            --
            -- TOC entry 3702 (class 0 OID 0)
            -- Dependencies: 6
            -- Name: SCHEMA public; Type: ACL; Schema: -; Owner: pg_database_owner
            --

            REVOKE USAGE ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO reader;

            --
            -- TOC entry 3703 (class 0 OID 0)
            -- Name: SCHEMA odd; Type: ACL; Schema: -; Owner: PUBLIC
            --

            REVOKE ALL ON SCHEMA odd FROM "PUBLIC";
            """
        #expect(PostgresArchiveRestore.withdrawals(in: Array(script.utf8)) == [3701, 3703])
        #expect(PostgresArchiveRestore.withdrawals(in: []) == [])
    }

    private static let passedOn = """
        SET search_path = '';

        --
        -- TOC entry 7 (class 0 OID 0)
        -- Name: TABLE t; Type: ACL; Schema: public; Owner: shop
        --

        GRANT SELECT ON TABLE public.t TO "a;b" WITH GRANT OPTION;
        SET SESSION AUTHORIZATION "a;b";
        GRANT SELECT ON TABLE public.t TO c WITH GRANT OPTION;
        RESET SESSION AUTHORIZATION;
        SET SESSION AUTHORIZATION c;
        GRANT SELECT ON TABLE public.t TO d;
        RESET SESSION AUTHORIZATION;


        --
        -- TOC entry 8 (class 0 OID 0)
        -- Name: TABLE u; Type: ACL; Schema: public; Owner: shop
        --

        GRANT SELECT ON TABLE public.u TO c;

        """

    @Test func `who has granted what belongs to others is known by entries`() {
        let script = Array(Self.passedOn.utf8)
        #expect(
            PostgresArchiveRestore.grantors(in: script, among: [7, 8]) == [7: ["a;b", "c"]])
        #expect(PostgresArchiveRestore.grantors(in: script, among: [8]) == [:])
    }

    @Test func `others grant in a way that is open to members, or not at all`() {
        let script = PostgresScript(text: Self.passedOn)
        let expected = Self.passedOn
            .replacing("RESET SESSION AUTHORIZATION", with: "RESET ROLE")
            .replacing("SET SESSION AUTHORIZATION", with: "SET ROLE")
        #expect(script.grantingAsMember(leavingOut: []).text == expected)
        #expect(script.grantingAsMember(leavingOut: [8]).text == expected)
        let rest = script.grantingAsMember(leavingOut: [7])
        #expect(!rest.text.contains("ROLE") && !rest.text.contains("AUTHORIZATION"))
        #expect(rest.entries.map(\.id) == [7, 8])
        #expect(
            rest.grants.text.hasSuffix(
                """
                (class 0 OID 0)
                GRANT SELECT ON TABLE public.t TO "a;b" WITH GRANT OPTION;
                GRANT SELECT ON TABLE public.u TO c;

                """))
        #expect(
            script.grantingAsMember(leavingOut: []).grants.text.contains(
                "SET ROLE c;\nGRANT SELECT ON TABLE public.t TO d;\nRESET ROLE;\n"))
    }

    @Test func `owners grant what others may pass on`() {
        #expect(PostgresArchiveRestore.grantable(in: Array(Self.passedOn.utf8)) == [7])
        let script = PostgresScript(text: Self.passedOn)
            .grantingAsMember(leavingOut: [7], as: [8: "SET ROLE shop"])
        #expect(
            script.text.contains(
                "--\n\nSET ROLE shop;\nGRANT SELECT ON TABLE public.u TO c;\nRESET ROLE;"))
        #expect(script.text.ranges(of: "ROLE").count == 2)
        #expect(
            script.grants.text.hasSuffix(
                "SET ROLE shop;\nGRANT SELECT ON TABLE public.u TO c;\nRESET ROLE;\n"))
        let ofPublic = "SELECT pg_catalog.set_config('role', 'shop', false)"
        #expect(
            PostgresScript(text: "\(ofPublic);\nGRANT USAGE ON SCHEMA public TO c;").grants.text
                .hasSuffix("\(ofPublic);\nGRANT USAGE ON SCHEMA public TO c;\n"))
    }

    @Test func `what only superusers may make is told from other publications`() {
        let archive = PostgresArchive(
            list: """
                3301; 6104 16397 PUBLICATION - every FOR ALL postgres
                3302; 6104 16398 PUBLICATION - few postgres
                3303; 6106 16399 PUBLICATION TABLE public few t postgres
                3304; 6237 16401 PUBLICATION TABLES IN SCHEMA public few public postgres
                3305; 3466 16400 EVENT TRIGGER - reacts postgres
                3306; 1255 16402 FUNCTION public f() postgres
                """)
        let script = """
            -- TOC entry 3301 (class 6104 OID 16397)
            CREATE PUBLICATION "every FOR ALL" FOR ALL TABLES WITH (publish = 'insert');
            -- TOC entry 3302 (class 6104 OID 16398)
            CREATE PUBLICATION few WITH (publish = 'insert');
            -- TOC entry 3303 (class 6106 OID 16399)
            ALTER PUBLICATION few ADD TABLE ONLY public.t;
            -- TOC entry 3306 (class 1255 OID 16402)
            CREATE PUBLICATION x FOR ALL TABLES;
            """
        let found = PostgresArchiveRestore.forSuperusers(in: Array(script.utf8), of: archive)
        #expect(found == [3301, 3304, 3305])
    }

    @Test func `columns that are not NULL are told from other constraints`() {
        let script = """
            -- TOC entry 7 (class 2606 OID 16400)
            -- Name: users mail; Type: CONSTRAINT; Schema: public; Owner: shop
            --

            ALTER TABLE public.users
                ADD CONSTRAINT "the mail" NOT NULL "e mail" NOT VALID;

            -- TOC entry 8 (class 2606 OID 16401)
            -- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
            --

            ALTER TABLE ONLY public.users
                ADD CONSTRAINT users_pkey PRIMARY KEY (id);

            -- TOC entry 9 (class 2606 OID 16402)
            -- Name: users named; Type: CHECK CONSTRAINT; Schema: public; Owner: shop
            --

            ALTER TABLE public.users
                ADD CONSTRAINT named CHECK ((name IS NOT NULL)) NOT VALID;
            """
        #expect(PostgresArchiveRestore.columnsNotNull(in: Array(script.utf8)) == [7: "e mail"])
    }

    @Test func `what a script grants is told from what it takes, and from what others grant`() {
        let script = """
            SET search_path = '';

            --
            -- Name: SCHEMA closed; Type: ACL; Schema: -; Owner: shop
            --

            REVOKE ALL ON SCHEMA closed FROM shop;
            GRANT USAGE ON SCHEMA closed TO shop;
            SET SESSION AUTHORIZATION "GRANT";
            GRANT USAGE ON SCHEMA closed TO guest;
            RESET SESSION AUTHORIZATION;
            GRANT CREATE ON SCHEMA closed TO "a;b";
            """
        #expect(
            PostgresScript(text: script).grants.text.hasSuffix(
                """
                --
                GRANT USAGE ON SCHEMA closed TO shop;
                GRANT CREATE ON SCHEMA closed TO "a;b";

                """))
        #expect(PostgresScript(text: "SET a = 1;\nREVOKE ALL ON t FROM b;").grants.bytes.isEmpty)
    }
}
