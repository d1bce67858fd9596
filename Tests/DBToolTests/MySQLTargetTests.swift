import BackupTesting
import Foundation
import Testing

/// What a target of MySQL or MariaDB holds, or does by itself, that a restore must know before it changes anything.
@Suite struct MySQLTargetTests {
    private static let orders = """
        CREATE TABLE orders (id int PRIMARY KEY, v int) ENGINE = InnoDB; INSERT INTO orders VALUES (1, 1), (2, 2);
        CREATE TRIGGER doubling BEFORE UPDATE ON orders FOR EACH ROW SET NEW.v = 2 * NEW.v
        """
    private static let triggers = """
        SELECT GROUP_CONCAT(CONCAT(TRIGGER_NAME, ' ', EVENT_OBJECT_TABLE)) FROM information_schema.TRIGGERS
        WHERE TRIGGER_SCHEMA = DATABASE()
        """

    @Test(arguments: MySQLTestServer.all)
    func `a trigger that a renamed table took along is in the way, and stays`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(Self.orders)
            _ = try await bench.backUp()
            try await bench.source.query("RENAME TABLE orders TO orders_old")
            for words in [["--clean", "--yes"], ["-tablename", "orders"]] {
                try await bench.restore(into: bench.source, words).expect(
                    code: 1, saying: "has trigger doubling of table orders_old",
                    "the backup has it on another table")
            }
            #expect(try await bench.source.query(Self.triggers) == "doubling orders_old")
            #expect(try await bench.source.query("SHOW TABLES") == "orders_old")
            try await bench.source.query("DROP TRIGGER doubling")
            try await bench.restore(into: bench.source, ["-tablename", "orders"]).requireCode(0)
            #expect(try await bench.source.query(Self.triggers) == "doubling orders")
            // Of a table that the restore drops it is not in the way.
            try await bench.source.query(
                "DROP TRIGGER doubling; CREATE TRIGGER other BEFORE INSERT ON orders FOR EACH ROW SET NEW.v = 1"
            )
            try await bench.restore(into: bench.source, ["--clean", "--yes"]).requireCode(0)
            #expect(try await bench.source.query(Self.triggers) == "doubling orders")
        }
    }

    private static let tables = """
        SELECT GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME) FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = DATABASE()
        """

    /// The rows were loaded before the server said so.
    @Test(arguments: MySQLTestServer.all)
    func `a foreign key that a renamed table took along is in the way, and nothing is changed`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let source = bench.source
            try await source.query(
                """
                CREATE TABLE customers (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO customers VALUES (1);
                CREATE TABLE orders (id int PRIMARY KEY, c int, CONSTRAINT orders_c_fk FOREIGN KEY (c)
                  REFERENCES customers (id)) ENGINE = InnoDB; INSERT INTO orders VALUES (1, 1), (2, 1)
                """)
            _ = try await bench.backUp()
            try await source.query(
                "RENAME TABLE orders TO orders_broken; INSERT INTO customers VALUES (7)")
            for words in [["--clean", "--yes"], ["-tablename", "orders"]] {
                try await bench.restore(into: source, words).expect(
                    code: 1, saying: "has foreign key orders_c_fk of table orders_broken",
                    "the backup has it on another table", "DROP FOREIGN KEY `orders_c_fk`")
                #expect(try await source.query(Self.tables) == "customers,orders_broken")
                #expect(try await source.query("SELECT COUNT(*) FROM customers") == "2")
                #expect(try await source.query("SELECT COUNT(*) FROM orders_broken") == "2")
            }
            // A copy has no foreign keys.
            _ = try await bench.restore(
                into: source, ["-tablename", "orders", "--as", "orders_copy"])
            #expect(try await source.query("SELECT COUNT(*) FROM orders_copy") == "2")
            try await source.query("ALTER TABLE orders_broken DROP FOREIGN KEY orders_c_fk")
            try await bench.restore(into: source, ["-tablename", "orders"]).requireCode(0)
            #expect(try await source.query("SELECT COUNT(*) FROM orders") == "2")
            let holder = """
                SELECT TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS
                WHERE TABLE_SCHEMA = DATABASE() AND CONSTRAINT_NAME = 'orders_c_fk'
                """
            #expect(try await source.query(holder) == "orders")
            // Of a table that the restore drops it is not in the way.
            try await bench.restore(into: source, ["--clean", "--yes"]).requireCode(0)
            #expect(try await source.query(holder) == "orders")
        }
    }

    /// The tables were dropped before MySQL said so; in MariaDB a table has these names for itself.
    @Test(arguments: MySQLTestServer.all)
    func `a condition that a renamed table took along is found before anything is dropped`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let source = bench.source
            try await source.query(
                """
                CREATE TABLE ord (id int PRIMARY KEY, q int, CONSTRAINT chk_q CHECK (q > 0)) ENGINE = InnoDB;
                INSERT INTO ord VALUES (1, 1); CREATE TABLE other (id int PRIMARY KEY) ENGINE = InnoDB
                """)
            _ = try await bench.backUp()
            try await source.query("RENAME TABLE ord TO ord_old; INSERT INTO other VALUES (7)")
            if !server.isMariaDB {
                for words in [["--clean", "--yes"], ["-tablename", "ord"]] {
                    try await bench.restore(into: source, words).expect(
                        code: 1, saying: "has check chk_q of table ord_old",
                        "DROP CHECK `chk_q`")
                    #expect(try await source.query(Self.tables) == "ord_old,other")
                    #expect(try await source.query("SELECT id FROM other") == "7")
                }
                try await source.query("ALTER TABLE ord_old DROP CHECK chk_q")
            }
            try await bench.restore(into: source, ["--clean", "--yes"]).requireCode(0)
            #expect(try await source.query(Self.tables) == "ord,ord_old,other")
            #expect(try await source.query("SELECT id, q FROM ord") == "1\t1")
        }
    }

    /// Servers with a binary log take some functions of nobody, and others of accounts with SUPER alone.
    @Test(arguments: MySQLTestServer.all)
    func `functions that the server will not take are refused before anything is dropped`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, ["log_bin=1", "server_id=7"]) { bench, _ in
            try await bench.source.query(
                """
                SET GLOBAL log_bin_trust_function_creators = 1;
                CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT id FROM t;
                CREATE FUNCTION plain() RETURNS int DETERMINISTIC RETURN 1
                """)
            let account = try await bench.source.createAccount("owner", ["ALL ON {}.*"])
            func expectRefusal(_ words: [String], as account: String, _ saying: String) async throws
            {
                try await bench.dbtool(
                    [
                        "restore", "latest", "-path", bench.repository, "--into",
                        bench.source.name, "--clean", "--yes",
                    ] + words, as: account
                ).expect(code: 1, saying: saying, "log_bin_trust_function_creators = 1")
                #expect(try await bench.source.query("SELECT COUNT(*), plain() FROM v") == "1\t1")
            }
            _ = try await bench.backUp()
            try await bench.server.query("SET GLOBAL log_bin_trust_function_creators = 0")
            try await expectRefusal(["--no-owner"], as: account, "create function plain")
            try await bench.restore(into: bench.source, ["--clean", "--yes"]).requireCode(0)
            try await bench.source.query(
                """
                SET GLOBAL log_bin_trust_function_creators = 1; CREATE FUNCTION vague() RETURNS int RETURN 1;
                SET GLOBAL log_bin_trust_function_creators = 0
                """)
            _ = try await bench.backUp()
            try await expectRefusal([], as: "root", "function vague")
        }
    }

    /// As each drill's database has another name, and each refusal would hide the next.
    @Test(arguments: MySQLTestServer.all)
    func `all that an account lacks for a drill is named at once, and granted for every drill`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, ["log_bin=1", "server_id=7"]) { bench, _ in
            let app = try await bench.source.createAccount("app", ["SELECT, TRIGGER ON *.*"])
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v int, KEY of_v (v)); INSERT INTO t VALUES (1, 1);
                CREATE TABLE u (id int PRIMARY KEY, CONSTRAINT of_t FOREIGN KEY (id) REFERENCES t (id));
                CREATE DEFINER = '\(app)'@'%' VIEW w AS SELECT id FROM t;
                CREATE DEFINER = '\(app)'@'%' TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1;
                CREATE DEFINER = '\(app)'@'%' PROCEDURE p() SELECT 1
                """)
            _ = try await bench.backUp()
            let account = try await bench.source.createAccount("drill", [])
            let words = [
                "verify", "latest", "-path", bench.repository, "--drill", "--same-server",
            ]
            let refused = try await bench.dbtool(words, as: account)
            refused.expect(
                code: 1, saying: "lacks SELECT, INSERT, CREATE, DROP",
                #"ON `dbtool\_drill\_%`.* TO '\#(account)'@'%';"#, "may not make what acts for",
                "may not create trigger r")
            let remedies = refused.errors.split(separator: "\n").map {
                $0.trimmingCharacters(in: .whitespaces)
            }.filter { $0.hasPrefix("GRANT ") || $0.hasPrefix("SET GLOBAL ") }
            #expect(remedies.count == 3, "\(refused)")
            try await bench.server.query(remedies.joined(separator: "\n"))
            try await bench.dbtool(words, as: account).requireCode(0)
        }
    }

    /// MySQL has to be made anew for that, MariaDB does not mind.
    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `names that the server would write otherwise are refused at once`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE Abc (id int PRIMARY KEY); CREATE TABLE b (id int)")
            _ = try await bench.backUp()
            try await MySQLOwnServer.with(like: server, ["lower_case_table_names=1"]) { own in
                func restore(_ words: String...) async throws -> ProgramEnd {
                    try await bench.dbtool(
                        [
                            "restore", "latest", "-path", bench.repository, "--into", "there",
                            "--create",
                        ]
                            + words, on: own.server)
                }
                try await restore().expect(
                    code: 1, saying: "in small letters, and Abc has others",
                    "lower_case_table_names = 0")
                let made = try await own.server.query("SHOW DATABASES LIKE 'there'")
                #expect(made.isEmpty)
                try await restore("-tablename", "b").requireCode(0)
            }
        }
    }

    /// As a row of the backup refers to one that the target has lost.
    @Test(arguments: MySQLTestServer.all)
    func `rows that refer to nothing in the target are no success`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1), (2);
                CREATE TABLE child (id int PRIMARY KEY, parent int, CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parent (id));
                INSERT INTO child VALUES (1, 1), (2, 2)
                """)
            _ = try await bench.backUp()
            try await bench.source.query(
                "DELETE FROM child WHERE id = 2; DELETE FROM parent WHERE id = 2")
            let words = ["-tablename", "child", "--clean", "--yes", "--json"]
            let end = try await bench.restore(into: bench.source, words)
            #expect(end.code == 3, "\(end)")
            let problems = try JSON(parsing: end.output)["problems"].items.compactMap(\.string)
            #expect(
                problems.count == 1 && problems[0].contains("that are not there"), "\(problems)")
            try await bench.source.query("INSERT INTO parent VALUES (2)")
            try await bench.restore(into: bench.source, words).requireCode(0)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what has another kind under the same name is refused before anything is dropped`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT id FROM t"
            )
            _ = try await bench.backUp()
            let target = bench.other("target")
            try await server.query("CREATE DATABASE \(target.name)")
            try await target.query(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (7); CREATE TABLE v (id int)"
            )
            for words in [["--clean", "--yes"], ["--existing", "truncate", "--yes"]] {
                try await bench.restore(into: target, words)
                    .expect(code: 1, saying: "v exists", "is no view, but a table")
            }
            #expect(try await target.query("SELECT id FROM t") == "7")
            // Its rows alone do not need the view.
            let rows = ["--data-only", "--existing", "truncate", "--yes"]
            try await bench.restore(into: target, rows).requireCode(0)
            #expect(try await target.query("SELECT id FROM t") == "1")
            try await target.query("DROP TABLE t, v; CREATE VIEW t AS SELECT 1 AS id")
            try await bench.restore(into: target, ["-tablename", "t"])
                .expect(code: 1, saying: "t exists", "is no table, but a view", "--as")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a copy replaces one of its name beside the original`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
            _ = try await bench.backUp()
            try await bench.source.query(
                "CREATE TABLE n (id int PRIMARY KEY); INSERT INTO n VALUES (7); DELETE FROM t WHERE id = 1"
            )
            let words = ["-tablename", "t", "--as", "n", "--clean", "--yes"]
            try await bench.restore(into: bench.source, words).requireCode(0)
            #expect(try await bench.source.query("SELECT COUNT(*) FROM n") == "2")
            #expect(try await bench.source.query("SELECT COUNT(*) FROM t") == "1")
            #expect(try await bench.source.query("SHOW TABLES") == "n\nt")
        }
    }

    /// The servers drop one thing after another.
    @Test(arguments: MySQLTestServer.all)
    func `a restore that is killed while it drops is gone on with, and no other is let in`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
                CREATE TABLE b (id int PRIMARY KEY, a int, KEY (a)); INSERT INTO b VALUES (1, 1);
                CREATE VIEW v AS SELECT id FROM b
                """)
            let backup = try await bench.backUp()
            let target = bench.other("target")
            try await server.query("CREATE DATABASE \(target.name) CHARACTER SET utf8mb4")
            try await bench.restore(into: target).requireCode(0)
            try await target.query(
                "ALTER TABLE a ADD COLUMN later int; INSERT INTO a VALUES (2, 2)")
            // Whoever reads `a` keeps it from being dropped; `b` goes before it.
            let reading = try await holding("a", of: target)
            let end = try await bench.restore(into: target, ["--clean", "--yes"]) { running in
                try await eventually("one table is dropped, and the other waited for") {
                    let isWaiting = try await !waiting("DROP TABLE", in: target).isEmpty
                    let isGone = try await target.query("SHOW TABLES LIKE 'b'") == ""
                    return isWaiting && isGone
                }
                try running.send(SIGKILL)
            }
            #expect(end.code == 128 + SIGKILL, "\(end)")
            for session in try await waiting("DROP TABLE", in: target) {
                _ = try await server.attempt("KILL \(session)")
            }
            try await reading.end()
            #expect(try await target.query("SELECT COUNT(*) FROM a") == "2")
            try await bench.restore(into: target, ["-tablename", "a", "--existing", "truncate"])
                .expect(
                    code: 1, saying: "unfinished restore of \(backup.id)",
                    "It was: dbtool restore \(backup.id) --into \(target.name) --clean;")
            func goOn() async throws -> ProgramEnd {
                var end = try await bench.restore(into: target, ["--clean", "--yes"])
                for _ in 1...30 where end.code == 6 {
                    end = try await bench.restore(into: target, ["--clean", "--yes"])
                }
                return end
            }
            // What has been dropped and is there again is somebody else's.
            try await target.query(
                "CREATE TABLE b (id int PRIMARY KEY, a int, KEY (a)); INSERT INTO b VALUES (5, 5)")
            try await goOn().expect(code: 1, saying: "the interrupted restore did not load: b")
            #expect(try await target.query("SELECT id FROM b") == "5")
            #expect(try await target.query("SELECT COUNT(*) FROM a") == "2")
            try await target.query("DROP TABLE b")
            try await goOn().requireCode(0)
            try await bench.expectEqual(bench.source, target)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `triggers that an account may not see are not risked`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)")
            let backup = try await bench.backUp()
            let account = try await bench.source.createAccount(
                "writer", ["SELECT, INSERT, UPDATE, DELETE ON {}.*"])
            try await bench.source.query(
                "CREATE TRIGGER tenfold BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 10 * NEW.v")
            let words = [
                "restore", backup.id, "-path", bench.repository, "--into", bench.source.name,
                "--data-only", "--existing", "truncate", "--yes",
            ]
            try await bench.dbtool(words, as: account).expect(
                code: 1, saying: "may not see the triggers of t",
                "GRANT TRIGGER ON `\(bench.source.name)`.* TO")
            #expect(try await bench.source.query("SELECT v FROM t") == "1")
            try await server.query(
                "GRANT TRIGGER ON \(bench.source.name).* TO '\(account)'@'%'")
            try await bench.dbtool(words, as: account)
                .expect(code: 1, saying: "triggers would fire: tenfold of t")
            try await bench.source.query("DROP TRIGGER tenfold; UPDATE t SET v = 5")
            try await bench.dbtool(words, as: account).requireCode(0)
            #expect(try await bench.source.query("SELECT v FROM t") == "1")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a database with an unfinished restore is backed up without its mark, and that is said`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE dbtool_restore (what int)")
            let end = try await bench.dbtool(
                ["full", "database", "-path", bench.repository, "--database", bench.source.name])
            #expect(end.code == 0, "\(end)")
            #expect((end.output + end.errors).contains("unfinished restore"), "\(end)")
            let copy = try await bench.restored()
            #expect(try await copy.query("SHOW TABLES") == "t")
        }
    }

    /// MySQL alone lets administrators decide this for everybody.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB })
    func `a server that adds what tables do not have is refused where nobody may forbid it`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, _ in
            try await bench.source.query(
                "CREATE TABLE bare (v int); CREATE TABLE times (id int PRIMARY KEY, at timestamp NOT NULL)"
            )
            _ = try await bench.backUp()
            let account = try await bench.source.createAccount("owner", ["ALL ON {}.*"])
            let target = bench.other("target")
            try await bench.server.query(
                "CREATE DATABASE \(target.name); GRANT ALL ON \(target.name).* TO '\(account)'@'%'")
            func restore(_ table: String, as user: String) async throws -> ProgramEnd {
                try await bench.dbtool(
                    [
                        "restore", "latest", "-path", bench.repository, "--into", target.name,
                        "-tablename", table, "--clean", "--yes",
                    ], as: user)
            }
            try await bench.server.query("SET GLOBAL sql_generate_invisible_primary_key = ON")
            try await restore("bare", as: account).expect(
                code: 1, saying: "table bare would become another one",
                "GRANT SESSION_VARIABLES_ADMIN")
            try await restore("times", as: account).requireCode(0)
            // Who may, forbids it for the session.
            try await restore("bare", as: "root").requireCode(0)
            let columns = """
                SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 'bare' AND TABLE_SCHEMA = DATABASE()
                """
            #expect(try await target.query(columns) == "1")
            // This one everybody may forbid for the session, at least here.
            try await bench.server.query(
                "SET GLOBAL sql_generate_invisible_primary_key = OFF; SET GLOBAL explicit_defaults_for_timestamp = OFF"
            )
            try await restore("times", as: account).requireCode(0)
            let defaults = """
                SELECT COALESCE(COLUMN_DEFAULT, 'none') FROM information_schema.COLUMNS
                WHERE TABLE_NAME = 'times' AND COLUMN_NAME = 'at' AND TABLE_SCHEMA = DATABASE()
                """
            #expect(try await target.query(defaults) == "none")
            try await restore("times", as: "root").requireCode(0)
            try await restore("bare", as: account).requireCode(0)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `on a replica the column's times are not believed`(server: MySQLTestServer) async throws {
        try await MySQLBench.withOwnServer(like: server, ["server_id=7"]) { bench, _ in
            let source =
                server.isMariaDB
                ? "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'nobody'"
                : "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_USER = 'nobody'"
            try await bench.server.query(source)
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v int, updated_at datetime NOT NULL DEFAULT NOW() ON UPDATE NOW(), KEY (updated_at));
                INSERT INTO t (id, v) VALUES (1, 1), (2, 2)
                """)
            _ = try await bench.backUp()
            // It was written elsewhere, an hour before it arrived.
            try await bench.source.query(
                "UPDATE t SET v = 9, updated_at = NOW() - INTERVAL 1 HOUR WHERE id = 2")
            let point = try await bench.backUp(
                ["differential", "backup"], ["-basis", "column"])
            let reasons = point.report["changes"].items.compactMap { $0["reason"].string }
            #expect(reasons.contains { $0.contains("on a replica") }, "\(point.report)")
            try await bench.expectEqual(bench.source, try await bench.restored(point.id))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a log that leaves databases out tells no moment`(server: MySQLTestServer) async throws {
        let settings = ["log_bin=1", "server_id=7", "binlog_do_db=elsewhere"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
            let sees = server.isMariaDB ? "BINLOG MONITOR" : "REPLICATION CLIENT"
            let account = try await bench.source.createAccount(
                "reader", ["SELECT, SHOW VIEW, TRIGGER, EVENT ON {}.*", "\(sees) ON *.*"])
            let backup = try await bench.backUp(as: account)
            let metadata = try String(
                contentsOfFile: "\(backup.folder)/metadata.json", encoding: .utf8)
            #expect(metadata.contains("consistent snapshot on one connection"), "\(metadata)")
        }
    }

    /// By default MariaDB leaves out of its log what it takes from another server.
    @Test func `a log tells moments unless other servers' changes come past it`() async throws {
        let mariadb = try #require(MySQLTestServer.all.first { $0.isMariaDB })
        try await MySQLOwnServer.with(like: mariadb, ["log_bin=1", "server_id=8"]) { primary in
            try await primary.server.query(
                "CREATE USER copier@'%'; GRANT REPLICATION SLAVE ON *.* TO copier@'%'")
            let log = try await primary.server.query("SHOW MASTER STATUS").split(separator: "\t")
            try await MySQLBench.withOwnServer(like: mariadb, ["log_bin=1", "server_id=7"]) {
                bench, own in
                try await bench.source.query("CREATE TABLE t (id int PRIMARY KEY)")
                let account = try await bench.source.createAccount(
                    "reader", ["SELECT ON {}.*", "BINLOG MONITOR ON *.*"])
                func way() async throws -> String {
                    let backup = try await bench.backUp(["full", "database"], as: account)
                    return backup.report["consistency"].string ?? ""
                }
                let several = "consistent snapshots at one position of the binary log"
                #expect(try await way() == several)
                try await own.server.query(
                    """
                    CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = \(primary.server.port),
                      MASTER_USER = 'copier', MASTER_LOG_FILE = '\(log[0])', MASTER_LOG_POS = \(log[1]);
                    START SLAVE
                    """)
                try await primary.server.query("CREATE DATABASE arrived")
                try await eventually("changes arrive") {
                    try await own.server.query("SHOW DATABASES LIKE 'arrived'") == "arrived"
                }
                #expect(try await way() == "consistent snapshot on one connection")
                try await own.server.query("STOP SLAVE")
                #expect(try await way() == several)
            }
        }
    }

    @Test(arguments: MySQLTestServer.all, ["1", "2"])
    func `a backup says where the log was at its moment`(
        server: MySQLTestServer, jobs: String
    ) async throws {
        // Without numbers of transactions the file is all that there is.
        let numbersNone = ["gtid_mode=OFF", "enforce_gtid_consistency=OFF"]
        let settings = ["log_bin=1", "server_id=7"] + (server.isMariaDB ? [] : numbersNone)
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
            let backup = try await bench.backUp(["full", "database"], ["--jobs", jobs])
            let identity = try backup.metadata()["source_identity"]
            let statement = server.isMariaDB ? "SHOW MASTER STATUS" : "SHOW BINARY LOG STATUS"
            let status = try await bench.server.query(statement).split(separator: "\t")
            // A transaction of MySQL that is about to end may be in the file before any snapshot shows it.
            let isNear = jobs == "1" && !server.isMariaDB
            func place(_ name: String) -> String? {
                identity["\(isNear ? "near_" : "")\(name)"].string
                    ?? identity["binlog_snapshot_\(name)"].string
            }
            let (file, position) = (place("file"), place("position"))
            #expect(file == status.first.map(String.init), "\(identity)")
            #expect(position == status.dropFirst().first.map(String.init), "\(identity)")
            try await expectReports(
                of: backup, ["--jobs", jobs], toName: isNear ? nil : file, bench)
        }
    }

    /// The reports of a backup that was made in this way name the log's file, or nothing of a log.
    private func expectReports(
        of backup: StoredBackup, _ words: [String], toName file: String?, _ bench: MySQLBench
    ) async throws {
        let show = try await bench.read(["show", backup.id])
        let again = try await bench.dbtool(
            ["full", "database", "-path", bench.repository, "--database", bench.source.name]
                + words)
        for end in [show, again] {
            let lines = end.output.split(separator: "\n").filter { $0.hasPrefix("  binary log ") }
            #expect(lines.count == (file == nil ? 0 : 1), "\(end)")
            #expect(lines.allSatisfy { $0.contains("\(file ?? "") at ") }, "\(end)")
        }
        let document = try JSON(
            parsing: try await bench.read(["show", backup.id, "--json"]).output)
        for report in [backup.report, document] {
            #expect(report["binary_log"]["file"].string == file, "\(report)")
            #expect((report["binary_log"]["position"].integer != nil) == (file != nil))
        }
    }

    /// A drill that is killed in its last moment leaves a database that the next one knows as its own.
    @Test(arguments: MySQLTestServer.all)
    func `the database of a killed drill is dropped by the next one`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, _ in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v varchar(200)); SET SESSION cte_max_recursion_depth = 1000000;
                INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
                  SELECT i, REPEAT('x', 200) FROM n
                """.replacing(
                    "cte_max_recursion_depth",
                    with: server.isMariaDB ? "max_recursive_iterations" : "cte_max_recursion_depth")
            )
            let backup = try await bench.backUp()
            let drill = [
                "verify", backup.id, "-path", bench.repository, "--drill", "--same-server",
            ]
            let databases =
                "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'dbtool\\_drill\\_%'"
            let end = try await bench.dbtool(drill) { running in
                try await eventually("the table is there") {
                    try await bench.server.attempt(
                        "SELECT 1 FROM \(try await bench.server.query(databases)).t"
                    ).code == 0
                }
                let name = try await bench.server.query(databases)
                let scratch = MySQLTestDatabase(name: name, server: bench.server)
                let reading = try await holding("t", of: scratch)
                try running.send(SIGCONT)
                try await eventually("it is about to be dropped") {
                    try await !waiting("DROP DATABASE", on: bench.server).isEmpty
                }
                try running.send(SIGKILL)
                for session in try await waiting("DROP DATABASE", on: bench.server) {
                    _ = try await bench.server.attempt("KILL \(session)")
                }
                try await reading.end()
            }
            #expect(end.code == 128 + SIGKILL, "\(end)")
            #expect(try await bench.server.query(databases) != "")
            try await bench.dbtool(drill).requireCode(0)
            #expect(try await bench.server.query(databases) == "")
        }
    }

    /// Bytes are written with an `x` in lower case, and compared as bytes.
    @Test(arguments: MySQLTestServer.all, [[], ["local_infile=1"]])
    func `texts that look like bytes are texts, whatever their character set`(
        server: MySQLTestServer, settings: [String]
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.load(
                #"""
                CREATE TABLE t (id int PRIMARY KEY, l varchar(20) CHARACTER SET latin2, a varchar(20) CHARACTER SET ascii,
                  g varchar(20) CHARACTER SET gbk, u varchar(20) CHARACTER SET utf8mb4);
                INSERT INTO t VALUES (1, '\\X41', '\\X41', '\\X41', '\\X41'), (2, '\\x41', '\\x41', '\\x41', '\\x41'),
                  (3, '\\X', '\\X', '\\X', '\\X'), (4, '\\x', '\\x', '\\x', '\\x'), (5, '\\Xyz', '\\xyz', '\\Xyz', '\\xyz'),
                  (6, '', '', '', ''), (7, NULL, NULL, NULL, NULL), (8, '  ', '  ', '  ', '  '), (9, 'x', '\\', 'X\\x', '\\\\x41');
                """#)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            let question = "SELECT id, HEX(l), HEX(a), HEX(g), HEX(u) FROM t ORDER BY id"
            #expect(try await copy.query(question) == bench.source.query(question))
        }
    }

    // MARK: Others at work

    /// A session that reads a table in a transaction that stays open.
    private struct Holding {
        let server: MySQLTestServer
        let word: String
        let work: Task<ProgramEnd, any Error>

        func end() async throws {
            for session in try await sessions(server, "INFO LIKE 'SELECT SLEEP(600), \\'\(word)%'")
            {
                _ = try await server.attempt("KILL \(session)")
            }
            _ = try await work.value
        }
    }

    private func holding(_ table: String, of database: MySQLTestDatabase) async throws -> Holding {
        let (server, word) = (database.server, "\(database.name) \(table)")
        let work = Task {
            try await server.attempt(
                "START TRANSACTION; SELECT * FROM \(table); SELECT SLEEP(600), '\(word)'",
                database: database.name)
        }
        try await eventually("the table is read") {
            try await !sessions(server, "INFO LIKE 'SELECT SLEEP(600), \\'\(word)%'").isEmpty
        }
        return Holding(server: server, word: word, work: work)
    }

    private func waiting(
        _ statement: String, in database: MySQLTestDatabase
    ) async throws -> [String] {
        try await sessions(
            database.server,
            "INFO LIKE '\(statement)%\(database.name)%' AND STATE LIKE 'Waiting for table metadata%'"
        )
    }

    private func waiting(_ statement: String, on server: MySQLTestServer) async throws -> [String] {
        try await sessions(
            server, "INFO LIKE '\(statement)%' AND STATE LIKE 'Waiting for table metadata%'")
    }
}

/// The numbers of sessions that a condition on the list of processes finds.
private func sessions(_ server: MySQLTestServer, _ condition: String) async throws -> [String] {
    try await server.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND \(condition)"
    ).split(separator: "\n").map(String.init)
}
