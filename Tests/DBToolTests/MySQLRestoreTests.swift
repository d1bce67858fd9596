import BackupTesting
import Foundation
import Testing

/// Restores of MySQL and MariaDB into what is there already, interrupted ones, and those that must be refused.
@Suite struct MySQLRestoreTests {
    private static func withShop(
        _ server: MySQLTestServer, _ body: (MySQLBench) async throws -> Void
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                try String(
                    contentsOfFile: "\(DBToolBinary.package)/Scripts/sample/shop-mysql.sql",
                    encoding: .utf8))
            _ = try await bench.backUp()
            try await body(bench)
        }
    }

    private static func emptyDatabase(_ bench: MySQLBench) async throws -> MySQLTestDatabase {
        let target = bench.other("target")
        try await bench.server.query("CREATE DATABASE \(target.name) CHARACTER SET utf8mb4")
        return target
    }

    @Test(arguments: MySQLTestServer.all)
    func `a restore that is killed again and again goes on, and ends with everything`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withShop(server) { bench in
            let target = bench.other("target")
            for attempt in 1...12 {
                let end = try await bench.restore(into: target, ["--create"]) { running in
                    try await Task.sleep(for: .milliseconds(attempt * 23))
                    try? running.send(SIGKILL)
                }
                if end.code == 0 { break }
            }
            var end = try await bench.restore(into: target, ["--create"])
            // On a busy machine the killed one's statements may outlast the patience.
            for _ in 1...30 where end.code == 6 {
                end = try await bench.restore(into: target, ["--create"])
            }
            // Complete since the last attempt but one, the database is one that is not empty.
            if end.code != 0 { end.expect(code: 1, saying: "exists already, and is not empty") }
            try await bench.expectEqual(bench.source, target)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows of tables that exist are replaced or added to, all or none`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withShop(server) { bench in
            let target = try await Self.emptyDatabase(bench)
            let lines = ["-tablename", "order_lines"]
            try await bench.restore(into: target, lines).requireCode(0)
            try await bench.restore(into: target, lines)
                .expect(code: 1, saying: "has table order_lines already")
            try await bench.restore(into: target, lines + ["--existing", "append"])
                .expect(code: 1, saying: "Duplicate entry", "as they were")
            try await target.query(
                "UPDATE order_lines SET quantity = 99; INSERT INTO order_lines VALUES (-1, 1, 1, 1)"
            )
            try await bench.restore(into: target, lines + ["--existing", "truncate"]).requireCode(0)
            let sum = "SELECT COUNT(*), SUM(quantity), SUM(product) FROM order_lines"
            #expect(try await target.query(sum) == bench.source.query(sum))
            try await target.query(
                "CREATE TRIGGER t BEFORE DELETE ON order_lines FOR EACH ROW SET @a = 1")
            try await bench.restore(into: target, lines + ["--existing", "truncate"])
                .expect(code: 1, saying: "triggers would fire: t of order_lines")
            try await target.query("DROP TRIGGER t; ALTER TABLE order_lines ENGINE = MyISAM")
            try await bench.restore(into: target, lines + ["--existing", "truncate"])
                .expect(code: 1, saying: "without transactions")
            try await bench.restore(
                into: target, ["-tablename", "products", "--as", "products_before"]
            ).requireCode(0)
            #expect(try await target.query("SELECT COUNT(*) FROM products_before") == "200")
            try await bench.restore(into: target, ["--clean", "--yes"]).requireCode(0)
            try await target.query("DROP TABLE products_before")
            try await bench.expectEqual(bench.source, target)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that would refer to nothing change no table`(server: MySQLTestServer) async throws {
        try await Self.withShop(server) { bench in
            let target = try await Self.emptyDatabase(bench)
            try await bench.restore(into: target).requireCode(0)
            try await target.query(
                "INSERT INTO customers (id, name) VALUES (7777, 'new'); INSERT INTO orders (customer, ordered_at) VALUES (7777, NOW())"
            )
            let before = try await bench.contents(of: target)
            try await bench.restore(
                into: target, ["-tablename", "customers", "--existing", "truncate"]
            ).expect(code: 1, saying: "refer by orders_customer", "the tables are as they were")
            #expect(try await bench.contents(of: target) == before)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that referred to nothing in the source are restored, and told`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withShop(server) { bench in
            try await bench.source.query(
                "SET SESSION foreign_key_checks = 0; DELETE FROM customers WHERE id = 5")
            _ = try await bench.backUp()
            let target = bench.other("target")
            let end = try await bench.restore(into: target, ["--create"])
            end.expect(code: 0, saying: "warning: rows of", "orders_customer")
            try await bench.expectEqual(bench.source, target)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `accounts that things act for must exist, or are left out`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withShop(server) { bench in
            let account = try await bench.source.createAccount("gone", ["ALL ON {}.*"])
            try await bench.source.query(
                "CREATE DEFINER = '\(account)'@'%' VIEW theirs AS SELECT 1 AS n")
            _ = try await bench.backUp()
            try await server.query("DROP USER '\(account)'@'%'")
            let target = bench.other("target")
            try await bench.restore(into: target, ["--create"])
                .expect(code: 1, saying: "accounts do not exist: `\(account)`@`%`", "CREATE USER")
            try await bench.restore(into: target, ["--create", "--no-owner"]).requireCode(0)
            #expect(try await target.query("SELECT n FROM theirs") == "1")
            let acting = bench.other("acting")
            let words = ["--create", "--definer", "\(account)@localhost"]
            try await bench.restore(into: acting, words)
                .expect(code: 1, saying: "accounts do not exist: `\(account)`@`localhost`")
            try await server.query("CREATE USER '\(account)'@'localhost'")
            try await bench.restore(into: acting, words).requireCode(0)
            let definers = """
                SELECT DISTINCT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '\(acting.name)'
                UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '\(acting.name)'
                UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '\(acting.name)'
                UNION SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '\(acting.name)'
                """
            #expect(try await server.query(definers) == "\(account)@localhost")
            try await server.query("DROP USER '\(account)'@'localhost'")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `the other product takes rows, and no structure`(server: MySQLTestServer) async throws {
        let other = try #require(MySQLTestServer.all.first { $0.product != server.product })
        try await Self.withShop(server) { bench in
            let target = MySQLTestDatabase(name: "\(bench.source.name)_there", server: other)
            try await bench.restore(into: target, ["--create"])
                .expect(code: 1, saying: "and the server is", "--data-only")
            try await other.query("CREATE DATABASE \(target.name) CHARACTER SET utf8mb4")
            try await target.query(
                """
                CREATE TABLE customers (id int PRIMARY KEY, name varchar(100), email varchar(200), rating float, joined_at timestamp NULL);
                CREATE TABLE narrow (id int PRIMARY KEY)
                """)
            try await bench.restore(into: target, ["-tablename", "customers", "--data-only"])
                .requireCode(0)
            let sum = """
                SET time_zone = '+00:00';
                SELECT COUNT(*), SUM(CRC32(HEX(name))), SUM(CRC32(joined_at)) FROM customers
                """
            #expect(try await target.query(sum) == bench.source.query(sum))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a value that does not fit is an error, never another value`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withShop(server) { bench in
            let target = try await Self.emptyDatabase(bench)
            for (column, words) in [
                ("name varchar(3)", "column 'name'"),
                ("name varchar(100) CHARACTER SET ascii", "name"),
                ("rating decimal(3,1)", "rating"), ("email varbinary(200)", "email"),
            ] {
                try await target.query(
                    """
                    DROP TABLE IF EXISTS customers;
                    CREATE TABLE customers (id int PRIMARY KEY, name varchar(100), email varchar(200), rating float, joined_at timestamp NULL)
                      ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
                    ALTER TABLE customers MODIFY \(column)
                    """)
                let end = try await bench.restore(
                    into: target, ["-tablename", "customers", "--data-only"])
                end.expect(code: 1, saying: words)
                #expect(try await target.query("SELECT COUNT(*) FROM customers") == "0")
            }
        }
    }
}
