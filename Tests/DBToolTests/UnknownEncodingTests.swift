import BackupTesting
import Testing

/// A database without an encoding keeps whatever bytes it was given, which need not be text.
@Suite struct UnknownEncodingTests {
    @Test(arguments: TestServer.all)
    func `bytes of the structure that are no text come back, under another name too`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.withoutEncoding()
            try await source.query(
                """
                DO $do$ BEGIN
                  EXECUTE format('CREATE TYPE mood AS ENUM (%L)', 'caf' || chr(233));
                  EXECUTE format('CREATE TABLE t (id integer PRIMARY KEY, mood mood DEFAULT %1$L, '
                    'word text DEFAULT %1$L CHECK (word <> %2$L))', 'caf' || chr(233), chr(255));
                  EXECUTE format('COMMENT ON TABLE t IS %L', 'th' || chr(233));
                END $do$;
                INSERT INTO t (id) VALUES (1), (2);
                """)
            let facts = try await source.query(Self.facts(of: "t"))
            #expect(facts.contains("636166e9"), "the bytes that this is about")
            _ = try await bench.backUp(source)
            let copy = try await bench.restored("latest", ["--check", "rows"])
            #expect(try await copy.query(Self.facts(of: "t")) == facts)

            try await bench.restore(tables: ["t"], into: source, ["--as", "beside"]).requireCode(0)
            #expect(try await source.query(Self.facts(of: "beside")) == facts)
        }
    }

    /// The server would have to be asked for another name than it has.
    @Test(arguments: TestServer.all)
    func `a table whose name is no text is named before anything is read`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.withoutEncoding()
            try await source.query(
                """
                CREATE TABLE plain (id integer);
                DO $do$ BEGIN EXECUTE format('CREATE TABLE %I ()', 'caf' || chr(233)); END $do$;
                """)
            try await bench.full(source).expect(
                code: 1, saying: "the name of a table or of its schema is no UTF-8", "ALTER TABLE")
            try bench.expectNothingStored()
            // Nothing needs the name of what is not read.
            _ = try await bench.backUp(source, scope: ["tables", "-tablename", "plain"])
        }
    }

    /// What a table is made of, its rows, and the labels, as bytes.
    private static func facts(of table: String) -> String {
        """
        SELECT encode(convert_to(concat_ws(' ',
          (SELECT string_agg(pg_get_expr(adbin, adrelid), ' ' ORDER BY adnum)
           FROM pg_attrdef WHERE adrelid = '\(table)'::regclass),
          (SELECT string_agg(pg_get_constraintdef(oid), ' ' ORDER BY contype)
           FROM pg_constraint WHERE conrelid = '\(table)'::regclass AND contype IN ('c', 'p')),
          obj_description('\(table)'::regclass, 'pg_class'),
          (SELECT string_agg(enumlabel, ' ') FROM pg_enum),
          (SELECT string_agg(t::text, ' ' ORDER BY id) FROM \(table) t)), 'SQL_ASCII'), 'hex')
        """
    }
}

extension Workbench {
    fileprivate func withoutEncoding() async throws -> TestDatabase {
        try await createDatabase("bytes", options: "ENCODING 'SQL_ASCII' LOCALE 'C'")
    }
}
