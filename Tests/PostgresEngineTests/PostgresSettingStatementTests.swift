import BackupCore
import Testing

@testable import PostgresEngine

/// `ALTER DATABASE … SET` as a restore repeats it.
@Suite struct PostgresSettingStatementTests {
    @Test(arguments: [
        ("search_path", "\"\"", "''"),
        ("search_path", "a, \"B c\", \"$user\"", "'a', 'B c', '$user'"),
        // What is no list is one value, and never a statement.
        ("search_path", "public; DROP TABLE x", "'public; DROP TABLE x'"),
        ("temp_tablespaces", "\"\"", "''"), ("search_path", "\"it's \"\"x\"\"\"", "'it''s \"x\"'"),
        ("work_mem", "64MB", "'64MB'"), ("app.note", "\"\"", "'\"\"'"), ("search_path", "", "''"),
    ])
    func `lists are lists and everything else is one value`(
        name: String, stored: String, written: String
    ) throws {
        let request = TargetRequest(
            database: "x", definition: SchemaDefinition(sql: [], dump: nil, owners: []),
            sourceVersion: "18", encoding: "UTF8",
            databaseProperties: ["setting.\(name)": stored])
        let setting = try #require(PostgresDatabaseStatements.settings(request).first)
        #expect(setting.statement == "\(setting.name) TO \(written)")
    }

    @Test(arguments: [
        ("role", true), ("session_preload_libraries", true), ("local_preload_libraries", true),
        ("session_authorization", true), ("search_path", false), ("my.role", false),
    ])
    func `what decides who a session is comes last`(name: String, isOfLogin: Bool) throws {
        let setting = try #require(
            PostgresDatabaseStatements.settings(in: ["setting.\(name)": "x"], of: "y").first)
        #expect(setting.isOfLogin == isOfLogin)
    }
}
