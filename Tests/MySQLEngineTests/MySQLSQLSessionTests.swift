import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

@Suite struct MySQLSQLSessionTests {
    private actor Rows: SQLSink {
        private(set) var all: [[String?]] = []
        private(set) var columns: [[SQLColumn]] = []

        func begin(_ columns: [SQLColumn]) { self.columns.append(columns) }

        func take(_ rows: SQLRows) {
            for row in 0..<rows.count { all.append(rows.texts(row: row)) }
        }
    }

    private static let tables = """
        CREATE TABLE a (id int PRIMARY KEY, t varchar(20), b blob, n bit(9), j json) ENGINE = InnoDB;
        INSERT INTO a VALUES (1, 'x', x'00ff', 257, '{"a": 1}'), (2, NULL, NULL, NULL, NULL);
        CREATE TABLE log (n int) ENGINE = MyISAM;
        CREATE TABLE other (n int) ENGINE = InnoDB;
        DELIMITER //
        CREATE FUNCTION sneaky(x int) RETURNS int DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO other VALUES (x); RETURN x; END//
        CREATE FUNCTION sneaky_log(x int) RETURNS int DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO log VALUES (x); RETURN x; END//
        DELIMITER ;
        """

    @Test(arguments: MySQLTestServer.all)
    func `rows are shown as text, bytes as hexadecimal`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await database.load(Self.tables)
            let session = MySQLSQLSession(database.settings()) { _ in }
            let rows = Rows()
            let outcome = try await session.read("SELECT * FROM a ORDER BY id", into: rows)
            guard case .rows(2) = outcome else {
                Issue.record("\(String(describing: outcome))")
                return
            }
            #expect(
                await rows.all == [
                    ["1", "x", "\\x00ff", "257", "{\"a\": 1}"], ["2", nil, nil, nil, nil],
                ])
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what reads leaves nothing behind, whatever it calls`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.load(Self.tables)
            let before = try await database.query("CHECKSUM TABLE a, log, other")
            let session = MySQLSQLSession(database.settings()) { _ in }
            let statements = [
                "SELECT sneaky(1)", "SELECT sneaky_log(1)", "SELECT `sneaky` (1) FROM a",
                "WITH x AS (SELECT sneaky(3) AS n) SELECT * FROM x", "SELECT @a := sneaky(4)",
                "SHOW TABLES WHERE sneaky(5) = 5", "EXPLAIN SELECT sneaky(6)", "TABLE a",
                "SELECT * FROM a FOR UPDATE", "SELECT 1; DELETE FROM a",
                "WITH x AS (SELECT 1) DELETE FROM a",
                "EXPLAIN FORMAT=JSON DELETE FROM a", "SELECT * FROM (SELECT sneaky_log(7) AS n) t",
            ]
            for statement in statements {
                _ = try? await session.read(statement, into: Rows())
            }
            // Inside a transaction that somebody has allowed to write, too.
            _ = try await session.write("SET @mine = 1", into: Rows())
            for statement in statements { _ = try? await session.read(statement, into: Rows()) }
            #expect(try await database.query("CHECKSUM TABLE a, log, other") == before)
            _ = try await session.write("START TRANSACTION", into: Rows())
            #expect(await session.hasOpenTransaction)
            for statement in statements where !statement.contains("_log") {
                _ = try? await session.read(statement, into: Rows())
            }
            // The server would run it, and what a reading does is undone.
            for statement in [
                "WITH x AS (SELECT 1 AS id) DELETE FROM a WHERE id IN (SELECT id FROM x)",
                "WITH x AS (SELECT 1 AS id) UPDATE a, x SET a.id = a.id WHERE a.id = x.id",
            ] {
                let outcome = try await session.read(statement, into: Rows())
                #expect(outcome == nil, "\(statement)")
            }
            let plain = "WITH x (n) AS (SELECT 1) SELECT REPLACE('a', 'a', 'b'), n FROM x"
            #expect(try await session.read(plain, into: Rows()) != nil)
            _ = try await session.write("COMMIT", into: Rows())
            #expect(try await database.query("CHECKSUM TABLE a, other") == Self.lines(before, 0, 2))
        }
    }

    /// Nobody need be asked whether it may write.
    @Test(arguments: MySQLTestServer.all)
    func `what the server does not understand is an error at once`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.load(Self.tables)
            let session = MySQLSQLSession(database.settings()) { _ in }
            for statement in ["slect 1", "INSERT INTO a VALUES (1", "DROP TABEL a"] {
                let failure = await #expect(throws: SQLFailure.self, "\(statement)") {
                    try await session.read(statement, into: Rows())
                }
                #expect(failure?.detail == "error 1064")
            }
            for statement in [
                "INSERT INTO a (id, t) VALUES (3, 'it''s \\\\ ?')", "DROP TABLE missing",
                "FLUSH TABLES",
                "CREATE PROCEDURE p() BEGIN SELECT 1; END", "LOCK TABLES a READ",
            ] {
                #expect(try await session.read(statement, into: Rows()) == nil, "\(statement)")
            }
        }
    }

    private static func lines(_ text: String, _ numbers: Int...) -> String {
        let lines = text.split(separator: "\n")
        return numbers.map { String(lines[$0]) }.joined(separator: "\n")
    }

    /// A transaction that cannot write rows lets a function do everything else.
    @Test(arguments: MySQLTestServer.all)
    func `what somebody else has written is not run without being asked for`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.load(
                """
                CREATE TABLE a (id int PRIMARY KEY);
                DELIMITER //
                CREATE FUNCTION `lo``cks`() RETURNS int NO SQL RETURN GET_LOCK('\(database.name)', 0)//
                DELIMITER ;
                CREATE VIEW calls AS SELECT `lo``cks`() AS n;
                CREATE VIEW above AS SELECT n + 1 AS n FROM calls;
                CREATE VIEW plain AS SELECT COUNT(*) AS n, UPPER(MAX(id)) AS m FROM a WHERE id IN (1, 2);
                """)
            let account = try await database.createAccount("reader", ["SELECT, SHOW VIEW ON {}.*"])
            for user in ["root", account] {
                let session = MySQLSQLSession(
                    user == "root" ? database.settings() : database.settings(as: user)
                ) { _ in }
                for statement in [
                    "SELECT `lo``cks`()", "SELECT * FROM calls", "TABLE above",
                    "WITH x AS (SELECT * FROM above) SELECT 1 FROM x",
                    "EXPLAIN SELECT * FROM calls",
                ] where user == "root" || !statement.hasPrefix("SELECT `") {
                    let outcome = try await session.read(statement, into: Rows())
                    #expect(outcome == nil, "\(statement) as \(user)")
                }
                let outcome = try await session.read("SELECT * FROM plain", into: Rows())
                #expect(outcome != nil)
            }
            let lock = "SELECT IS_USED_LOCK('\(database.name)') IS NULL"
            #expect(try await database.query(lock) == "1")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a session that writes is kept, and later reads see what it set`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.load(Self.tables)
            let session = MySQLSQLSession(database.settings()) { _ in }
            _ = try await session.write("SET @mine = 'yes'", into: Rows())
            let rows = Rows()
            _ = try await session.read("SELECT @mine", into: rows)
            #expect(await rows.all == [["yes"]])
            guard
                case .done("UPDATE 2") = try await session.write(
                    "UPDATE a SET t = 'y'", into: Rows())
            else {
                Issue.record("no count")
                return
            }
            _ = try await session.write("BEGIN", into: Rows())
            _ = try await session.write("DELETE FROM a", into: Rows())
            let inside = Rows()
            _ = try await session.read("SELECT COUNT(*) FROM a", into: inside)
            #expect(await inside.all == [["0"]])
            _ = try await session.write("ROLLBACK", into: Rows())
            #expect(try await database.query("SELECT COUNT(*) FROM a") == "2")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `errors, forecasts and names are told`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await database.load(Self.tables)
            let session = MySQLSQLSession(database.settings()) { _ in }
            let failure = await #expect(throws: SQLFailure.self) {
                _ = try await session.read("SELECT nothing FROM a", into: Rows())
            }
            #expect(failure?.sqlState == "42S22")
            let forecast = await session.forecast(of: "DELETE FROM a")
            #expect(forecast.verb == "DELETE" && forecast.rows ?? 0 > 0)
            let names = try await session.names()
            #expect(names.tables.contains("a") && names.columns["a"]?.contains("id") == true)
            let greeting = try await session.greeting()
            #expect(greeting.database == database.name && greeting.isSuperuser)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a statement that nobody wants any more ends`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            let session = MySQLSQLSession(database.settings()) { _ in }
            let began = ContinuousClock.now
            let statement = "SELECT SLEEP(1200), '\(database.name)'"
            let reading = Task { try await session.read(statement, into: Rows()) }
            try await eventually("the server sleeps") {
                try await server.query(
                    """
                    SELECT COUNT(*) FROM information_schema.PROCESSLIST
                    WHERE info LIKE 'SELECT SLEEP(%\(database.name)%'
                    """) == "1"
            }
            reading.cancel()
            _ = try? await reading.value
            #expect(began.duration(to: .now) < .seconds(600))
        }
    }
}
