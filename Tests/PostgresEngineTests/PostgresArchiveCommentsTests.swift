import Testing

@testable import PostgresEngine

/// Which tables comments are on whose constraints an archive has no entries of.
@Suite struct PostgresArchiveCommentsTests {
    @Test func `a comment on a constraint that is no entry needs its table`() {
        var archive = PostgresArchive(
            list: """
                1; 1259 100 TABLE public p The Boss
                2; 1259 101 TABLE o d W ON 1 The Boss
                ;\tdepends on: 1
                3; 2606 102 CHECK CONSTRAINT public p few The Boss
                ;\tdepends on: 1
                4; 0 0 COMMENT o d CONSTRAINT few ON "W ON 1" The Boss
                ;\tdepends on: 9
                5; 0 0 COMMENT public CONSTRAINT few ON p The Boss
                ;\tdepends on: 3
                6; 0 0 COMMENT public CONSTRAINT few ON DOMAIN p The Boss
                ;\tdepends on: 8
                """)
        let script = """
            -- TOC entry 1 (class 1259 OID 100)
            -- Name: p; Type: TABLE; Schema: public; Owner: The Boss
            CREATE TABLE public.p (a integer);
            ALTER TABLE public.p OWNER TO "The Boss";
            -- TOC entry 2 (class 1259 OID 101)
            -- Dependencies: 1
            -- Name: W ON 1; Type: TABLE; Schema: o d; Owner: The Boss
            CREATE TABLE "o d"."W ON 1" () INHERITS (public.p);
            ALTER TABLE "o d"."W ON 1" OWNER TO "The Boss";
            -- TOC entry 4 (class 0 OID 0)
            -- Dependencies: 9
            -- Name: CONSTRAINT few ON "W ON 1"; Type: COMMENT; Schema: o d; Owner: The Boss
            COMMENT ON CONSTRAINT few ON "o d"."W ON 1" IS 'COMMENT ON CONSTRAINT few ON public.p IS ''x''';
            -- TOC entry 6 (class 0 OID 0)
            -- Dependencies: 8
            -- Name: CONSTRAINT few ON DOMAIN p; Type: COMMENT; Schema: public; Owner: The Boss
            COMMENT ON CONSTRAINT few ON DOMAIN public.p IS 'x';

            """
        archive.addOwners(from: Array(script.utf8))
        archive.addTablesOfComments(from: Array(script.utf8))
        #expect(archive.commentsOnInherited == [4])
        #expect(archive[4]?.dependencies == [9, 2])
        #expect(archive.belongings(of: [2]) == [2, 4])
        #expect(archive[6]?.dependencies == [8])
    }
}
