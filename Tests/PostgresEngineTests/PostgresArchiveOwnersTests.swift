import Testing

@testable import PostgresEngine

/// Whom the entries of an archive belong to.
@Suite struct PostgresArchiveOwnersTests {
    @Test(arguments: [
        ("TABLE public users shop", "users; Type: TABLE; Schema: public; Owner: shop", "shop"),
        ("TABLE public a b c", "a; Type: TABLE; Schema: public; Owner: b c", "b c"),
        ("TABLE public a b c", "a b; Type: TABLE; Schema: public; Owner: c", "c"),
        ("TABLE my own t shop", "t; Type: TABLE; Schema: my own; Owner: shop", "shop"),
        (
            "INDEX public i shop", "i; Type: INDEX; Schema: public; Owner: shop; Tablespace: fast",
            "shop"
        ),
        (
            "TABLE s t; Type: TABLE; Schema: s; Owner: a o",
            "t; Type: TABLE; Schema: s; Owner: a; Type: TABLE; Schema: s; Owner: o", "o"
        ),
        ("SCHEMA - s x; Owner: y", "s; Type: SCHEMA; Schema: -; Owner: x; Owner: y", "x; Owner: y"),
        (
            "SCHEMA - s x; Tablespace: y",
            "s; Type: SCHEMA; Schema: -; Owner: x; Tablespace: y", "x; Tablespace: y"
        ),
        ("EXTENSION - hstore ", "hstore; Type: EXTENSION; Schema: -; Owner: -", ""),
        ("COMMENT - EXTENSION hstore ", "EXTENSION hstore; Type: COMMENT; Schema: -; Owner: ", ""),
        ("SCHEMA - s -", "s; Type: SCHEMA; Schema: -; Owner: -", "-"),
    ])
    func `the owner is what list and script agree on`(
        words: String, comment: String, owner: String
    ) {
        let archive = archive(words, "-- Name: \(comment)")
        #expect(archive.entries.first?.owner == owner)
    }

    @Test func `what a script does not write has no known owner`() {
        #expect(archive("TABLE public users shop", "").entries.first?.owner == nil)
        let other = "-- Name: others; Type: TABLE; Schema: public; Owner: shop"
        #expect(archive("TABLE public users shop", other).entries.first?.owner == nil)
    }

    @Test func `a body that looks like a comment decides nothing`() {
        let script = """
            -- TOC entry 7 (class 1259 OID 1)
            -- Name: users shop; Type: TABLE; Schema: public; Owner: anna
            -- TOC entry 7 (class 1259 OID 1)
            -- Dependencies: 3
            -- Name: users; Type: TABLE; Schema: public; Owner: shop
            """
        #expect(archive("TABLE public users shop", script).entries.first?.owner == "shop")
    }

    @Test func `the owners are roles of this server, each once`() {
        var archive = PostgresArchive(
            list: """
                1; 2615 1 SCHEMA - a shop
                2; 2615 2 SCHEMA - b shop
                3; 2615 3 SCHEMA - public pg_database_owner
                4; 3079 4 EXTENSION - hstore \n
                """)
        archive.addOwners(
            from: Array(
                """
                -- TOC entry 1 (class 2615 OID 1)
                -- Name: a; Type: SCHEMA; Schema: -; Owner: shop
                -- TOC entry 2 (class 2615 OID 2)
                -- Name: b; Type: SCHEMA; Schema: -; Owner: shop
                -- TOC entry 3 (class 2615 OID 3)
                -- Name: public; Type: SCHEMA; Schema: -; Owner: pg_database_owner
                -- TOC entry 4 (class 3079 OID 4)
                -- Name: hstore; Type: EXTENSION; Schema: -; Owner: -
                """.utf8))
        #expect(archive.owners == ["shop"])
    }

    private func archive(_ words: String, _ script: String) -> PostgresArchive {
        var archive = PostgresArchive(list: "7; 1259 1 \(words)")
        let start = "-- TOC entry 7 (class 1259 OID 1)\n"
        archive.addOwners(from: Array("\(start)\(script)\n".utf8))
        return archive
    }
}
