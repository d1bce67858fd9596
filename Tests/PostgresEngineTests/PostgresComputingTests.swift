import Testing

@testable import PostgresEngine

/// Settings that rows are computed by.
@Suite struct PostgresComputingTests {
    @Test func `only what changes nothing about how rows are read is taken`() {
        let settings = PostgresComputing.settings(in: [
            "setting.TimeZone": "Europe/Berlin", "setting.DateStyle": "SQL, DMY",
            "setting.IntervalStyle": "iso_8601", "setting.my.region": "eu", "encoding": "UTF8",
            "setting.default_text_search_config": "pg_catalog.german",
            "setting.session_replication_role": "replica", "setting.search_path": "x",
        ])
        #expect(
            settings.map(\.name) == ["TimeZone", "default_text_search_config", "my.region"])
    }

    @Test(arguments: [
        ("DateStyle", true), ("timezone", true), ("lc_monetary", true), ("lc_time", true),
        ("my.region", true), ("default_text_search_config", true), ("transform_null_equals", true),
        ("search_path", false), ("row_security", false), ("statement_timeout", false),
        ("client_encoding", false), ("session_replication_role", false),
    ])
    func `a view is computed by all that its database sets, but for what a restore needs`(
        name: String, isFree: Bool
    ) {
        #expect(PostgresSession.isFree(name) == isFree)
    }

    @Test(arguments: cases)
    func `a connection asks for what it can ask for`(
        name: String, value: String, options: [String]
    ) {
        #expect(PostgresComputing.options([(name: name, value: value)]) == options)
    }

    static let cases: [(String, String, [String])] = [
        ("my.region", "eu", ["my.region=eu"]),
        ("my.region", "", ["my.region="]),
        ("my.region", "eu west\n\\", ["my.region=eu\\ west\\\n\\\\"]),
        ("TimeZone", "<-03>+03", ["TimeZone=<-03>+03"]),
        // Without a connection nothing at all would be made.
        ("my.region", "Zürich", []),
        ("my.a -c x", "1", []),
        ("my.region", String(repeating: "x", count: 9_000), []),
    ]
}
