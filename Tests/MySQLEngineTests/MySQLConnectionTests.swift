import BackupCore
import BackupTesting
import Foundation
import Testing

@testable import MySQLEngine

/// Rows on their way out of the server, and a connection that can be used again after everything that may
/// happen to them.
@Suite struct MySQLConnectionTests {
    /// A thousand rows and more, one after the other, without a table.
    static let manyRows = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
        SELECT a.i * 1000 + b.i, REPEAT('x', 100) FROM n a, n b
        """

    @Test(arguments: MySQLTestServer.all)
    func `a server without a free connection is asked again`(
        server: MySQLTestServer
    ) async throws {
        try await Workbench.waitingGate.pass {
            try await MySQLOwnServer.with(like: server, ["max_connections=10"]) { own in
                let settings = MySQLTestDatabase(name: "mysql", server: own.server).settings()
                var all: [MySQLConnection] = []
                // One more for who may administer the server.
                for _ in 1...11 { all.append(try await MySQLConnection(settings)) }
                let begin = ContinuousClock.now
                let late = Task { try await MySQLConnection(settings) }
                try await Task.sleep(for: .seconds(1))
                all.removeLast()
                #expect(try await late.value.value("SELECT 1") == "1")
                #expect(ContinuousClock.now - begin >= .seconds(1))
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `values become the one dialect of CSV`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE v (id int PRIMARY KEY, t text, b varbinary(9), f bit(64), s timestamp NULL, d double);
                SET time_zone = '+09:00', sql_mode = '';
                INSERT INTO v VALUES (1, 'a,b', x'00ff5c', 18446744073709551615, '2024-07-01 09:00:00', 0.1),
                  (2, '', '', 0, NULL, NULL), (3, NULL, NULL, NULL, 0, -1.7976931348623157e308),
                  (4, 'say "hi"\\nthere\\r', 'x', 5, '1970-01-01 09:00:01', 5e-324),
                  (5, '\\\\.', '\\\\', 1, NULL, 1e15), (6, 'ÄÖ😀', '', 1, NULL, -2.5)
                """)
            let connection = try await database.connection()
            let records = try await connection.records(
                of: "SELECT id, t, b, f, s, d FROM v ORDER BY id",
                [.plain, .text, .binary, .bits, .instant, .plain])
            #expect(
                records == [
                    "1,\"a,b\",\\x00ff5c,18446744073709551615,2024-07-01 00:00:00+00:00,0.1\n",
                    "2,\"\",\\x,0,,\n", "3,,,,0000-00-00 00:00:00,-1.7976931348623157e308\n",
                    "4,\"say \"\"hi\"\"\nthere\r\",\\x78,5,1970-01-01 00:00:01+00:00,5e-324\n",
                    "5,\\.,\\x5c,1,,1e15\n", "6,ÄÖ😀,\\x,1,,-2.5\n",
                ])
            let alone = try await connection.records(
                of: "SELECT t FROM v WHERE id IN (3, 5) ORDER BY id", [.text])
            #expect(alone == ["\n", "\"\\.\"\n"])
        }
    }

    /// Values come as the server keeps them, and are written here as it would write them.
    @Test(arguments: MySQLTestServer.all)
    func `numbers and times are written as the server writes them`(
        server: MySQLTestServer
    ) async throws {
        let seed = SeededGenerator.seeds(count: 1)[0]
        var random = SeededGenerator(seed: seed)
        var doubles = [0, -0.0, 0.1, 123456789012345.6, 999999999999999, 1e15, 4503599627370497.5]
        for exponent in -25...25 {
            let power = pow(10, Double(exponent))
            doubles += [power, 1.5 * power, -pow(0.3, Double(exponent))]
        }
        for _ in 1...2000 { doubles.append(Double(bitPattern: random.next())) }
        for _ in 1...300 {
            let bits = Int64.random(in: 0...63, using: &random)
            doubles.append(Double(Int64(bitPattern: random.next()) >> bits))
        }
        doubles.removeAll { !$0.isFinite }
        try await server.withDatabase { database in
            let connection = try await database.connection()
            try await connection.execute(
                """
                CREATE TABLE v (id int PRIMARY KEY AUTO_INCREMENT, a tinyint, b tinyint unsigned, c smallint, d smallint unsigned,
                  e mediumint, f mediumint unsigned, g int, h int unsigned, i bigint, j bigint unsigned, k year, l date,
                  m datetime, n datetime(1), o datetime(6), p timestamp(3) NULL, q time, r time(2), s time(6), t decimal(30, 9))
                """)
            let rows = [
                "-128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 1901, '0001-01-01', '0001-01-01', "
                    + "'0001-01-01 00:00:00.1', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01.001', '-838:59:59', "
                    + "'-838:59:59', '-838:59:58.999999', -123456789012345678901.123456789",
                "127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, "
                    + "18446744073709551615, 2155, '9999-12-31', '9999-12-31 23:59:59', '2024-02-29 01:02:03.4', "
                    + "'2024-02-29 00:00:00.000001', '2038-01-19 03:14:07.9', '838:59:59', '100:00:00.05', "
                    + "'00:00:00.000001', 0.000000001",
                "0, 1, 9, 10, 99, 100, 999, 1000, 9999999999, 10000000000, 0, '0000-00-00', '0000-00-00', "
                    + "'0000-00-00', '2024-07-00 00:00:01', '0000-00-00', '0', '-00:00:01', '-00:00:00.000001', 0",
            ]
            for row in rows + [Array(repeating: "NULL", count: 20).joined(separator: ", ")] {
                try await connection.execute("INSERT INTO v VALUES (NULL, \(row))")
            }
            try await connection.execute(
                "CREATE TABLE w (id int PRIMARY KEY AUTO_INCREMENT, x double)")
            let list = doubles.map { "(\($0))" }.joined(separator: ", ")
            try await connection.execute("INSERT INTO w (x) VALUES \(list)")
            for (table, count) in [("v", 21), ("w", 2)] {
                let sql = "SELECT * FROM \(table) ORDER BY id"
                let records = try await connection.records(
                    of: sql, Array(repeating: .plain, count: count))
                let texts = try await connection.rows(sql).map { row in
                    row.map { $0 ?? "" }.joined(separator: ",") + "\n"
                }
                let differences = zip(records, texts).filter { $0 != $1 }
                #expect(
                    records.count == texts.count && differences.isEmpty,
                    "seed \(seed): \(differences.prefix(9))")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what is no text, or looks like bytes, is written as bytes`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let connection = try await database.connection()
            let records = try await connection.records(
                of: "SELECT x'c328', x'f09f98', 'ü', '\\\\x41', x'ff'",
                [.text, .text, .text, .text, .text])
            #expect(records == ["\\xc328,\\xf09f98,ü,\\x5c783431,\\xff\n"])
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a selection that nobody wants any more ends, and the connection goes on`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let connection = try await database.connection()
            for _ in 1...5 {
                await #expect(throws: DeliberateFailure.self) {
                    try await Relay.run(capacity: 1) { (_: RowBatch) in
                        throw DeliberateFailure()
                    } send: { relay in
                        try await connection.copyOut(
                            Self.manyRows, as: [.plain, .text], to: relay)
                    }
                }
                #expect(try await connection.value("SELECT 7") == "7")
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all)
    func `a cancelled task ends its statement on the server`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let connection = try await database.connection()
            for _ in 1...5 {
                let waiting = Task {
                    try await connection.executeInterruptibly("DO SLEEP(600)")
                }
                try await eventually("the server sleeps") {
                    try await server.query(
                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE info = 'DO SLEEP(600)'"
                    ) == "1"
                }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                #expect(try await connection.value("SELECT 7") == "7")
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all)
    func `a selection that was cancelled says so, and the connection goes on`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let connection = try await database.connection()
            let sleepers = "(SELECT 1 AS a UNION SELECT 2) AS \(database.name) WHERE SLEEP(600)"
            for _ in 1...5 {
                let reading = Task {
                    try await connection.records(of: "SELECT a FROM \(sleepers)", [.plain])
                }
                try await eventually("the server sleeps") {
                    try await server.query(
                        """
                        SELECT COUNT(*) FROM information_schema.PROCESSLIST
                        WHERE info LIKE 'SELECT a FROM %\(database.name) WHERE SLEEP%'
                        """) == "1"
                }
                reading.cancel()
                await #expect(throws: CancellationError.self) { try await reading.value }
                #expect(try await connection.value("SELECT 7") == "7")
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all)
    func `a connection that is lost among its rows is an error, not their end`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let connection = try await database.connection()
            let session = try await connection.value("SELECT CONNECTION_ID()") ?? ""
            let error = await #expect(throws: MySQLError.self) {
                try await Relay.run(capacity: 1) { (_: RowBatch) in
                    // While the server waits for somebody to take the rest.
                    _ = try await server.attempt("KILL \(session)")
                    try await Task.sleep(for: .milliseconds(200))
                } send: { relay in
                    try await connection.copyOut(Self.manyRows, as: [.plain, .text], to: relay)
                }
            }
            #expect(error?.isConnectionLoss == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a password that is wrong or missing is told apart`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let account = try await database.createAccount("closed", ["SELECT ON {}.*"])
            try await server.query("ALTER USER '\(account)'@'%' IDENTIFIED BY 'right'")
            func settings(_ password: String?) -> MySQLSettings {
                var settings = database.settings(as: account)
                settings.password = password.map { Secret($0) }
                return settings
            }
            for (password, code) in [
                (nil, BackupError.Code.passwordRequired), ("wrong", .connectionFailed),
            ] {
                let wrong = settings(password)
                let error = await #expect(throws: BackupError.self) {
                    _ = try await MySQLConnection(wrong)
                }
                #expect(error?.code == code, "\(String(describing: error))")
            }
            #expect(try await MySQLConnection(settings("right")).value("SELECT 7") == "7")
        }
    }

    /// MySQL's server makes itself a certificate; Debian's MariaDB has none.
    @Test(arguments: MySQLTestServer.all)
    func `encryption is what was asked for, and passwords go with it and without`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let account = try await database.createAccount("closed", ["SELECT ON {}.*"])
            try await server.query("ALTER USER '\(account)'@'%' IDENTIFIED BY 'right'")
            for tls in MySQLSettings.TLS.allCases {
                var mutable = database.settings(as: account)
                mutable.password = Secret("right")
                mutable.tls = tls
                let settings = mutable
                // Nobody whom this machine trusts has signed the certificate.
                if tls == .verifyFull || tls == .require && server.isMariaDB {
                    let error = await #expect(throws: BackupError.self) {
                        _ = try await MySQLConnection(settings)
                    }
                    #expect(error?.code == .connectionFailed, "\(String(describing: error))")
                    let words = error?.message ?? ""
                    #expect(words.contains("TLS") || words.contains("SSL"), "\(words)")
                } else {
                    let connection = try await MySQLConnection(settings)
                    let isEncrypted = await connection.link.cipher != nil
                    #expect(isEncrypted == (tls != .disable && !server.isMariaDB), "\(tls)")
                }
                // What the server remembers of a password lets the next login do without it.
                if !server.isMariaDB { try await server.query("FLUSH PRIVILEGES") }
            }
        }
    }
}
