import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Rows into a table by each of the ways that there are, whichever of them a restore would take on that server.
@Suite struct MySQLTransferTests {
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case loading, inserting

        var testDescription: String { rawValue }

        var transferWay: MySQLTransfer.Way {
            let limit = MySQLTransfer.Limit(packet: 2 << 20)
            return self == .loading ? .loading(limit) : .inserting(limit)
        }
    }

    /// Zero in a column that counts, labels that look like something else, texts of other character sets, bytes.
    private static let sample = #"""
        SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00';
        CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, k varchar(20) COLLATE utf8mb4_bin,
          e enum('', '\\N', 'NULL', '\\x41', 'tab\there', 'line\nend', 'a,b', '0', '2', '1', '\\') COLLATE utf8mb4_bin,
          l enum('', 'ł\\', '\\N', '\\x41') CHARACTER SET latin2, b enum('a', 'A', '2') COLLATE utf8mb4_general_ci,
          s set('\\N', 'tab\there', '"', '''', '1', '\\') COLLATE utf8mb4_bin, z set('', 'a', '03') COLLATE utf8mb4_general_ci,
          c varchar(20) CHARACTER SET latin2, j varchar(20) CHARACTER SET cp932, v blob, n bit(9), m timestamp(3) NULL, f float, KEY (k))
          ENGINE = InnoDB;
        INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 127)
          SELECT i, ELT(1 + i % 9, 'a', 'A', 'a ', '\\N', '\\x41', 'tab\there', 'line\nend', '"', ''), i % 12, i % 5, i % 4, i % 64, i % 8,
            ELT(1 + i % 4, 'ł\\', '\\x41', '\\N', 'tab\there'), ELT(1 + i % 3, x'8754', x'fa4a', x'5c78'), UNHEX(HEX(CHAR(i, 255 - i))), i * 4,
            '2024-02-29 01:02:03.4' + INTERVAL i DAY, i / 7 FROM n;
        INSERT INTO a (id) VALUES (1000);
        CREATE TABLE b LIKE a;
        """#

    private static let question = """
        SELECT id, HEX(k), HEX(e), e + 0, HEX(l), l + 0, b + 0, s + 0, z + 0, HEX(c), HEX(j), HEX(v), n + 0, m, f * 1.0e0
        FROM
        """

    /// A database of a server that takes rows this way, and a connection as restores have them.
    private static func withTarget(
        on server: MySQLTestServer, by way: Way,
        _ body: (MySQLTestDatabase, MySQLConnection) async throws -> Void
    ) async throws {
        try await Workbench.gate.pass {
            guard way == .loading, !server.isMariaDB else {
                return try await withDatabase(of: server, body)
            }
            try await MySQLOwnServer.with(like: server, ["local_infile=1"]) { own in
                try await withDatabase(of: own.server, body)
            }
        }
    }

    private static func withDatabase(
        of server: MySQLTestServer,
        _ body: (MySQLTestDatabase, MySQLConnection) async throws -> Void
    ) async throws {
        try await server.withDatabase { database in
            var settings = database.settings()
            settings.sendsRows = true
            let target = try await MySQLConnection(settings)
            try await MySQLSession.pin(target, on: try await MySQLServer(target), side: .target)
            try await body(database, target)
        }
    }

    @Test(arguments: MySQLTestServer.all, Way.allCases)
    func `rows are the same by every way`(server: MySQLTestServer, way: Way) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            try await database.load(Self.sample)
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            let count = try await send(batches, transfer, by: way, to: target)
            #expect(count == 129)
            let loads = try await target.rows("SHOW SESSION STATUS LIKE 'Com_load'").first?[1]
            #expect((loads != "0") == (way == .loading))
            let copied = try await database.query("\(Self.question) b ORDER BY id")
            #expect(try await database.query("\(Self.question) a ORDER BY id") == copied)
            #expect(copied.split(separator: "\n").count == 129)
        }
    }

    /// A label would be taken for the first that is equal, without a word.
    @Test(arguments: MySQLTestServer.all, Way.allCases)
    func `labels that are equal in the target only keep their places`(
        server: MySQLTestServer, way: Way
    ) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            func table(_ name: String, _ collation: String) -> String {
                """
                CREATE TABLE \(name) (id int PRIMARY KEY, e enum('a', 'A', 'say "a"', '2') COLLATE \(collation),
                  s set('a', 'A', 'b"') COLLATE \(collation)) ENGINE = InnoDB;
                """
            }
            try await database.load(
                """
                SET sql_mode = ''; \(table("a", "utf8mb4_bin")) \(table("b", "utf8mb4_general_ci"))
                INSERT INTO a VALUES (1, NULL, NULL), (2, 1, 0), (3, 2, 6), (4, 3, 7), (5, 4, 2), (6, 0, 1);
                """)
            let question = "SELECT id, e + 0, s + 0 FROM"
            let before = try await database.query("\(question) a ORDER BY id")
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            #expect(try await send(batches, transfer, by: way, to: target) == 6)
            #expect(try await database.query("\(question) b ORDER BY id") == before)
            try await database.query("DELETE FROM a")
            let (places, back) = try await rows(of: "b", into: "a", in: database, target)
            #expect(try await send(places, back, by: way, to: target) == 6)
            #expect(try await database.query("\(question) a ORDER BY id") == before)
        }
    }

    /// Their places mean other labels there.
    @Test(arguments: MySQLTestServer.all)
    func `labels that may be equal do not go into another list`(server: MySQLTestServer)
        async throws
    {
        try await Self.withTarget(on: server, by: .inserting) { database, target in
            try await database.load(
                """
                SET sql_mode = '';
                CREATE TABLE a (e enum('は', 'ハ', 'x') COLLATE utf8mb4_unicode_ci) ENGINE = InnoDB;
                CREATE TABLE b (e enum('new', 'は', 'ハ', 'x') COLLATE utf8mb4_unicode_ci) ENGINE = InnoDB;
                CREATE TABLE c (e enum('new', 'は', 'ハ', 'x') COLLATE utf8mb4_bin) ENGINE = InnoDB
                """)
            let source = try await database.connection()
            let catalog = MySQLCatalog(connection: source, database: database.name)
            let columns = try #require(try await catalog.columns(of: ["a"]).values.first)
            let request = TargetRequest(
                database: database.name, definition: SchemaDefinition(sql: [], dump: nil),
                sourceVersion: "", encoding: "UTF8", databaseProperties: [:])
            for (name, fits) in [("a", true), ("b", false), ("c", false)] {
                var load = TableLoad(
                    table: TableName(schema: database.name, name: name), loadsThrough: nil,
                    columns: ["e"])
                load.types = columns.map(\.column.type)
                let here = try await MySQLTargetColumns(target, of: request, [name])
                #expect(here.problems(of: load).isEmpty == fits, "\(name)")
            }
        }
    }

    private static let documents = #"""
        CREATE TABLE a (id int PRIMARY KEY, j json, t varchar(9), k json, v blob) ENGINE = InnoDB;
        INSERT INTO a VALUES (1, JSON_OBJECT('price', 19.90, 'a "b" \\ ''c'' é😀', JSON_ARRAY(1, 0.00, 1.10e0, JSON_OBJECT('', -7.70))), '\\', 'null', x'00'),
          (2, '{"price": 19.9, "version": "1.10", "big": 12345678901234567890}', '1.10', JSON_ARRAY(1.10), NULL),
          (3, CAST(1.10 AS JSON), NULL, JSON_ARRAY(12345678901234567890123456789.012345678901234567890123456789), x'01'),
          (4, NULL, NULL, JSON_ARRAY(0.1e0 + 0.2e0, 1e300, 5.0, CAST('2024-02-29' AS DATE), x'00ff', true), x'02');
        INSERT INTO a (id, j) SELECT 5, JSON_ARRAYAGG(JSON_ARRAY(CAST(n.i / 8 AS DECIMAL(20, 4))))
          FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n) n;
        CREATE TABLE b LIKE a;
        """#

    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, Way.allCases)
    func `numbers of documents keep their digits`(
        server: MySQLTestServer, way: Way
    ) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            try await database.load(Self.documents)
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            #expect(try await send(batches, transfer, by: way, to: target) == 5)
            func question(_ table: String) -> String {
                """
                SELECT id, HEX(CAST(j AS CHAR)), HEX(CAST(k AS CHAR)), t, HEX(v), JSON_TYPE(j -> '$.price'), JSON_TYPE(j -> '$[7][0]'),
                  JSON_TYPE(k -> '$[0]') FROM \(table) ORDER BY id
                """
            }
            let copied = try await database.query(question("b"))
            #expect(try await database.query(question("a")) == copied)
            #expect(copied.contains("DECIMAL"))
        }
    }

    /// `LOAD DATA LOCAL` would go on with the next row.
    @Test(arguments: MySQLTestServer.all, Way.allCases)
    func `a row whose key is there already is an error`(
        server: MySQLTestServer, way: Way
    ) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            try await database.load(
                """
                CREATE TABLE a (k varchar(9) COLLATE utf8mb4_bin PRIMARY KEY) ENGINE = InnoDB; INSERT INTO a VALUES ('a'), ('A'), ('b');
                CREATE TABLE b (k varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY) ENGINE = InnoDB
                """)
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            let error = await #expect(throws: MySQLError.self) {
                _ = try await send(batches, transfer, by: way, to: target)
            }
            #expect(error?.number == 1062, "\(String(describing: error))")
        }
    }

    /// What a table computes: columns kept and not, and a condition.
    private static let computed = """
        n int GENERATED ALWAYS AS (v + 0) STORED, c tinyint GENERATED ALWAYS AS (CHAR_LENGTH(v) * 100) VIRTUAL,
        x decimal(4, 1) GENERATED ALWAYS AS (v * 1000) STORED, CHECK (v * 1 < 1000000)
        """

    @Test(arguments: MySQLTestServer.all, Way.allCases)
    func `what a table computes with a warning does not keep its rows out`(
        server: MySQLTestServer, way: Way
    ) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            try await database.load(
                """
                SET sql_mode = '';
                CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, v varchar(20), e enum('a', 'b'), b bit(9), m timestamp NOT NULL,
                  \(Self.computed)) ENGINE = InnoDB;
                INSERT INTO a (v, e, b, m) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 700)
                  SELECT CONCAT(i, ' EUR'), i % 3, i % 512, '2024-02-29 01:02:03' FROM s;
                INSERT INTO a (v, e, b, m) SELECT CONCAT(v, '\t\\\\'), e, b, m FROM a;
                CREATE TABLE b LIKE a;
                """)
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            try await target.execute("START TRANSACTION")
            #expect(try await send(batches, transfer, by: way, to: target) == 1400)
            // The proof has ended no transaction, and has left nothing behind.
            #expect(try await database.query("SELECT COUNT(*) FROM b") == "0")
            try await target.execute("COMMIT")
            let question = "SELECT id, HEX(v), e + 0, b + 0, m, n, c, x FROM"
            #expect(
                try await database.query("\(question) b ORDER BY id")
                    == database.query("\(question) a ORDER BY id"))
            await #expect(throws: MySQLError.self) {
                try await target.execute("DROP TEMPORARY TABLE dbtool_proof")
            }
        }
    }

    /// The server says of both that a value was not taken as it is.
    @Test(arguments: MySQLTestServer.all, Way.allCases)
    func `a value that was changed is noticed among warnings of what is computed`(
        server: MySQLTestServer, way: Way
    ) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            try await database.load(
                """
                SET sql_mode = '';
                CREATE TABLE a (id int PRIMARY KEY, v varchar(20)) ENGINE = InnoDB;
                INSERT INTO a VALUES (1, '1 EUR'), (2, '2 EUR'), (3, '3 Euros');
                CREATE TABLE b (id int PRIMARY KEY, v varchar(5), \(Self.computed)) ENGINE = InnoDB
                """)
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            let error = await #expect(throws: MySQLError.self) {
                _ = try await send(batches, transfer, by: way, to: target)
            }
            #expect(error?.message.contains("'v'") == true, "\(String(describing: error))")
            #expect(error?.message.contains("\(database.name).b does not take") == true)
        }
    }

    /// A cluster refuses a transaction that is too large.
    @Test(arguments: MySQLTestServer.all, Way.allCases)
    func `rows are committed as often as is demanded, and in one transaction else`(
        server: MySQLTestServer, way: Way
    ) async throws {
        try await Self.withTarget(on: server, by: way) { database, target in
            try await database.load(
                """
                CREATE TABLE a (id int PRIMARY KEY, v varchar(200)) ENGINE = InnoDB;
                INSERT INTO a WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 900)
                  SELECT i, SHA2(i, 512) FROM s;
                CREATE TABLE b LIKE a
                """)
            let (batches, transfer) = try await rows(of: "a", into: "b", in: database, target)
            let parts = batches.flatMap { batch in
                zip([0] + batch.ends, batch.ends).map { start, end in
                    RowBatch(bytes: Array(batch.bytes[start..<end]), ends: [end - start])
                }
            }
            try await target.execute("START TRANSACTION")
            #expect(try await send(parts, transfer, by: way, to: target) == 900)
            try await target.execute("ROLLBACK")
            #expect(try await database.query("SELECT COUNT(*) FROM b") == "0")
            try await target.execute("START TRANSACTION")
            let count = try await send(
                parts, transfer, by: way, to: target, committingEvery: 50_000)
            #expect(count == 900)
            try await target.execute("ROLLBACK")
            let text = try await database.query("SELECT COUNT(*) FROM b")
            let kept = try #require(Int(text))
            // The last transaction was smaller than that.
            #expect((1..<900).contains(kept), "\(kept)")
        }
    }

    /// The rows of one table as a backup has them, and how they go into another.
    private func rows(
        of table: String, into other: String, in database: MySQLTestDatabase,
        _ target: MySQLConnection
    ) async throws -> ([RowBatch], MySQLTransfer) {
        let source = try await database.connection()
        let catalog = MySQLCatalog(connection: source, database: database.name)
        let known = try await catalog.columns(of: [table])
        let columns = try #require(known.values.first).filter { !$0.column.isGenerated }
        let list = columns.map(\.selection).joined(separator: ", ")
        let batches = try await source.batches(
            of: "SELECT \(list) FROM \(table)", columns.map(\.encoding))
        let request = TargetRequest(
            database: database.name, definition: SchemaDefinition(sql: [], dump: nil),
            sourceVersion: "", encoding: "UTF8", databaseProperties: [:])
        var load = TableLoad(
            table: TableName(schema: database.name, name: other), loadsThrough: nil,
            columns: columns.map(\.column.name))
        load.types = columns.map(\.column.type)
        let here = try await MySQLTargetColumns(target, of: request, [other])
        return (batches, here.transfer(of: load))
    }

    private func send(
        _ batches: [RowBatch], _ transfer: MySQLTransfer, by way: Way,
        to target: MySQLConnection, committingEvery commitBytes: Int? = nil
    ) async throws -> Int {
        let waiting = Exclusive(batches)
        return try await target.copyIn(
            transfer, by: way.transferWay, committingEvery: commitBytes
        ) {
            waiting.withValue { $0.isEmpty ? nil : $0.removeFirst() }
        }.count
    }

    @Test func `what the server did not take, or has changed, is noticed`() {
        typealias Intake = MySQLConnection.Intake
        let transfer = MySQLTransfer(table: TableName(schema: "s", name: "t"), columns: [])
        let duplicate = Intake.Warning(number: 1062, message: "Duplicate entry 'a' for key 'k'")
        let deprecated = Intake.Warning(number: 1287, message: "'utf8mb3' is deprecated")
        #expect(throws: Never.self) {
            try transfer.check(Intake(count: 3), of: 3)
            let harmless = Intake(count: 3, warningCount: 1, warnings: [deprecated])
            try transfer.check(harmless, of: 3)
        }
        for intake in [
            Intake(count: 2), Intake(count: 4),
            Intake(count: 3, warningCount: 1, warnings: [duplicate]),
            // More than the server shows, or counts.
            Intake(count: 3, warningCount: 2, warnings: [deprecated]),
            Intake(count: 3, warningCount: 1, warnings: [deprecated], mayHideWarnings: true),
        ] {
            #expect(throws: MySQLError.self) { try transfer.check(intake, of: 3) }
        }
    }
}

extension MySQLConnection {
    /// The rows of a selection, as they come.
    fileprivate nonisolated func batches(
        of sql: String, _ encodings: [MySQLEncoding]
    ) async throws -> [RowBatch] {
        let batches = Exclusive<[RowBatch]>([])
        try await Relay.run(capacity: 1) { (batch: RowBatch) in
            batches.withValue { $0.append(batch) }
        } send: { relay in
            try await self.copyOut(sql, as: encodings, to: relay)
        }
        return batches.withValue { $0 }
    }
}
