import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// What a snapshot holds of a database, and what it does about changes of it.
@Suite struct MySQLSnapshotTests {
    @Test(arguments: MySQLTestServer.all)
    func `every row is in exactly one part, of tables large and small`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let doublings = (0..<19).map {
                "INSERT INTO big SELECT id + \(7 << $0), filler FROM big;"
            }
            try await database.query(
                """
                CREATE TABLE big (id bigint PRIMARY KEY, filler varchar(200)) ENGINE = InnoDB;
                INSERT INTO big VALUES (-900000, REPEAT('x', 180)); \(doublings.joined())
                CREATE TABLE words (word varchar(9)) ENGINE = InnoDB; INSERT INTO words VALUES ('a'), ('a'), (NULL);
                CREATE TABLE nothing (id int PRIMARY KEY) ENGINE = InnoDB;
                ANALYZE TABLE big
                """)
            try await database.withSnapshot { snapshot in
                let tables = Dictionary(
                    uniqueKeysWithValues: snapshot.schema.tables.map { ($0.name.name, $0) })
                let big = try #require(tables["big"])
                #expect(snapshot.parts(of: big).count > 1, "\(big.split)")
                let rows = try await snapshot.records(of: big)
                #expect(rows.count == 524_288)
                #expect(Set(rows).count == 524_288)
                let words = try #require(tables["words"])
                #expect(try await snapshot.records(of: words).sorted() == ["\n", "a\n", "a\n"])
                let empty = try #require(tables["nothing"])
                #expect(try await snapshot.records(of: empty) == [])
                #expect([big, words, empty].map(\.key) == [["id"], [], ["id"]])
                try await snapshot.confirm()
            }
        }
    }

    /// A table that is emptied has another number, as one that is made anew has.
    @Test(arguments: MySQLTestServer.all)
    func `the numbers of some tables are those of no others`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE `odd #é/1` (id int PRIMARY KEY) ENGINE = InnoDB; CREATE TABLE odd (id int) ENGINE = InnoDB;
                CREATE TABLE divided (id int PRIMARY KEY) ENGINE = InnoDB PARTITION BY KEY (id) PARTITIONS 3
                """)
            let catalog = MySQLCatalog(
                connection: try await database.connection(), database: database.name)
            let some = await catalog.numbers(of: ["odd #é/1", "divided"])
            let other = await catalog.numbers(of: ["odd"])
            #expect(some?.count == 4 && other?.count == 1, "\(String(describing: some))")
            #expect(await catalog.numbers()?.count == 5)
            try await database.query("TRUNCATE TABLE odd")
            #expect(await catalog.numbers(of: ["odd #é/1", "divided"]) == some)
            #expect(await catalog.numbers(of: ["odd"]) != other)
            #expect(await catalog.numbers(of: []) == [])
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a table that somebody wants to alter waits until it has been read`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                "CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO a VALUES (1)")
            try await database.withSnapshot { snapshot in
                let refused = try await server.attempt(
                    "SET SESSION lock_wait_timeout = 1; ALTER TABLE a ADD COLUMN more int DEFAULT 5",
                    database: database.name)
                #expect(refused.code != 0)
                #expect(try await snapshot.records(of: snapshot.schema.tables[0]) == ["1\n"])
                try await database.query("INSERT INTO a VALUES (2)")
                #expect(try await snapshot.records(of: snapshot.schema.tables[0]) == ["1\n"])
                try await snapshot.confirm()
            }
        }
    }

    @Test(arguments: MySQLTestServer.all, [false, true])
    func `what makes a table is asked once before a moment and once within it`(
        server: MySQLTestServer, skipsUnreadable: Bool
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB;
                CREATE TABLE b (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB AUTO_INCREMENT = 7
                """)
            var request = SnapshotRequest(scope: .database)
            request.skipsUnreadable = skipsUnreadable
            let source = try await MySQLSource(database.settings(), for: request)
            let snapshot = try await source.takeSnapshot(of: request)
            let script = String(decoding: snapshot.definition.sql, as: UTF8.self)
            #expect(["`a`", "`b`"].allSatisfy { script.contains("CREATE TABLE \($0)") })
            #expect(!script.contains("AUTO_INCREMENT="))
            let asked = try await snapshot.leader.rows(
                "SHOW SESSION STATUS LIKE 'Com_show_create_table'")
            #expect(asked.first?[1] == "4", "\(asked)")
            await snapshot.release()
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a transaction that has ended is noticed, whichever connection had it`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                "CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO a VALUES (1)")
            try await database.withSnapshot { snapshot in
                try await snapshot.confirm()
                #expect(snapshot.readers.all.count == 3)
                try await snapshot.readers.all[2].execute("ROLLBACK")
                let error = await #expect(throws: BackupError.self) {
                    try await snapshot.confirm()
                }
                #expect(error?.code == .sourceChanged, "\(String(describing: error))")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a table whose name is like that of the restore's mark is a table like others`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                "CREATE TABLE Dbtool_Restore (id int PRIMARY KEY) ENGINE = InnoDB")
            try await database.withSnapshot { snapshot in
                #expect(snapshot.schema.tables.map(\.name.name) == ["Dbtool_Restore"])
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `the script makes everything again`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await database.query(Self.everything)
            let script = try await database.withSnapshot { snapshot in
                String(decoding: snapshot.definition.sql, as: UTF8.self)
            }
            try await server.withDatabase { copy in
                try await copy.load(script)
                let again = try await copy.withSnapshot { snapshot in
                    String(decoding: snapshot.definition.sql, as: UTF8.self)
                }
                #expect(
                    again.replacing(copy.name, with: "")
                        == script.replacing(database.name, with: ""))
                #expect(try await copy.query("SELECT n FROM last_view") == "3")
            }
        }
    }

    /// Views that need each other against the order of their names, foreign keys in a circle, bodies.
    static let everything = """
        CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, b_id int, n int GENERATED ALWAYS AS (b_id * 2) STORED,
          note varchar(50) COMMENT 'a AUTO_INCREMENT=7 note') ENGINE = InnoDB AUTO_INCREMENT = 77;
        CREATE TABLE b (id int PRIMARY KEY, a_id int, FOREIGN KEY (a_id) REFERENCES a (id)) ENGINE = InnoDB;
        ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b (id);
        CREATE VIEW z_view AS SELECT 1 AS n;
        CREATE VIEW m_view AS SELECT n + 1 AS n FROM z_view;
        CREATE VIEW a_view AS SELECT n FROM m_view;
        CREATE FUNCTION plus_one(x int) RETURNS int DETERMINISTIC NO SQL RETURN x + 1;
        CREATE VIEW last_view AS SELECT plus_one(n) AS n FROM a_view;
        CREATE PROCEDURE twice(INOUT x int) SET x = x * 2;
        CREATE TRIGGER on_a BEFORE INSERT ON a FOR EACH ROW SET NEW.note = CONCAT('new; ', NEW.note);
        CREATE EVENT never ON SCHEDULE AT '2037-01-01 00:00:00' DISABLE DO DELETE FROM b
        """
}

extension MySQLTestDatabase {
    /// Runs `body` with a snapshot that three connections read.
    func withSnapshot<Result: Sendable>(
        as user: String = "root", rangeSize: MySQLRangeSize = MySQLRangeSize(),
        _ body: (MySQLSnapshot) async throws -> Result
    ) async throws -> Result {
        var request = SnapshotRequest(scope: .database)
        request.connections = 3
        let source = try await MySQLSource(
            settings(as: user), for: request, rangeSize: rangeSize)
        let snapshot = try await source.takeSnapshot(of: request)
        let result = try await body(snapshot)
        try await snapshot.leader.execute("ROLLBACK")
        return result
    }
}

extension MySQLSnapshot {
    /// All records of a table, each with its line end.
    func records(of table: Table) async throws -> [String] {
        let records = Exclusive<[String]>([])
        for part in parts(of: table) {
            try await read(part) { batch in
                var start = 0
                for end in batch.ends {
                    let record = String(decoding: batch.bytes[start..<end], as: UTF8.self)
                    records.withValue { $0.append(record) }
                    start = end
                }
            }
        }
        return records.withValue { $0 }
    }
}
