import Testing

@testable import PostgresEngine

/// What tells apart what archives list by the same words.
@Suite struct PostgresArchiveSignaturesTests {
    @Test(arguments: [
        (
            "2617", "OPERATOR public @@@ shop",
            """
            CREATE OPERATOR public.@@@ (
                FUNCTION = public.leftarg,
                LEFTARG = character varying,
                RIGHTARG = public."od,d"")" [],
                COMMUTATOR = OPERATOR(public.@@@)
            );
            """, #" (character varying, public."od,d"")" [])"#
        ),
        (
            "2617", "OPERATOR public !! shop",
            """
            CREATE OPERATOR public.!! (
                FUNCTION = public.f,
                RIGHTARG = integer
            );
            """, " (-, integer)"
        ),
        (
            "2616", "OPERATOR CLASS public own shop",
            """
            CREATE OPERATOR CLASS public.own
                DEFAULT FOR TYPE public."using" USING hash FAMILY public.f AS
                OPERATOR 1 =(integer,integer);
            """, " USING hash"
        ),
        (
            "2753", "OPERATOR FAMILY public own shop",
            """
            CREATE OPERATOR FAMILY public.own USING "my am";
            ALTER OPERATOR FAMILY public.own USING "my am" ADD
                FUNCTION 1 (integer, integer) f(integer);
            """, " USING my am"
        ),
        ("1259", "TABLE public t shop", "CREATE TABLE public.t (leftarg integer);", ""),
    ])
    func `a signature is read from what makes the entry`(
        catalog: String, words: String, statement: String, signature: String
    ) {
        var archive = PostgresArchive(
            list: "7; \(catalog) 1 \(words)\n8; 2617 2 OPERATOR public ? shop")
        archive.addSignatures(
            from: Array(
                """
                -- TOC entry 6 (class 0 OID 0)
                -- Name: @@@; Type: OPERATOR; Schema: public; Owner: shop
                CREATE OPERATOR public.other (LEFTARG = text);

                -- TOC entry 7 (class \(catalog) OID 1)
                -- Name: it's; Type: OPERATOR; Schema: public; Owner: shop
                --

                \(statement)


                -- TOC entry 9 (class 0 OID 0)
                CREATE OPERATOR public.other (LEFTARG = text) USING gist;
                """.utf8))
        #expect(archive[7]?.signature == signature)
        #expect(archive.entries.map(\.signature) == [signature, ""])
    }
}
