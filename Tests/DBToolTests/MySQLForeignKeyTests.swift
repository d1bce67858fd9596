import BackupTesting
import Foundation
import Testing

/// Foreign keys of MySQL and MariaDB that refer to tables which a restore does not make.
@Suite struct MySQLForeignKeyTests {
    /// The servers let it be dropped, and keep the key.
    @Test(arguments: MySQLTestServer.all)
    func `a key whose parent was dropped in the source comes back, and that is told`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE parent (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO parent VALUES (1), (2);
                CREATE TABLE child (id int PRIMARY KEY, p int,
                  CONSTRAINT of_parent FOREIGN KEY (p) REFERENCES parent (id)) ENGINE = InnoDB;
                INSERT INTO child VALUES (1, 1), (2, 2), (3, NULL); CREATE VIEW shown AS SELECT id FROM child;
                SET SESSION foreign_key_checks = 0; DROP TABLE parent
                """)
            let backup = try await bench.backUp()
            let target = bench.other("target")
            let words = "refer by of_parent to \(target.name).parent, which is not there"
            try await bench.restore(into: target, ["--create"]).expect(
                code: 0, saying: "warning: rows of", words)
            #expect(try await target.query("SELECT COUNT(*) FROM shown") == "3")
            let statement = "SHOW CREATE TABLE child"
            #expect(try await target.query(statement) == bench.source.query(statement))

            let rows = ["-tablename", "child", "--existing", "truncate"]
            try await target.query("DELETE FROM child WHERE id = 2")
            try await bench.restore(into: target, rows).expect(
                code: 0, saying: "warning: rows of", words)
            #expect(try await target.query("SELECT COUNT(*) FROM child") == "3")

            try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
            ).requireCode(0)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a key into a database that is not there, or may not be read, is listed`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let (crm, copy) = (bench.other("crm"), bench.other("copy"))
            try await server.query(
                """
                CREATE DATABASE \(crm.name); CREATE TABLE \(crm.name).customer (id int PRIMARY KEY) ENGINE = InnoDB;
                INSERT INTO \(crm.name).customer VALUES (1)
                """)
            try await bench.source.query(
                """
                CREATE TABLE orders (id int PRIMARY KEY, c int, CONSTRAINT of_customer FOREIGN KEY (c)
                  REFERENCES \(crm.name).customer (id)) ENGINE = InnoDB; INSERT INTO orders VALUES (1, 1);
                CREATE VIEW shown AS SELECT id FROM orders
                """)
            _ = try await bench.backUp()
            try await bench.restore(into: copy, ["--create"]).requireCode(0)
            try await server.query("DROP DATABASE \(copy.name)")

            let account = try await bench.source.createAccount("restorer", ["ALL ON {}_copy.*"])
            let words = [
                "restore", "latest", "-path", bench.repository, "--into", copy.name, "--create",
                "--no-owner",
            ]
            // Before anything is made, not when all rows are there.
            let refused = try await bench.dbtool(words, as: account)
            let place = crm.name.replacingOccurrences(of: "_", with: "\\_")
            let grant = "GRANT REFERENCES ON `\(place)`.* TO '\(account)'@'%';"
            refused.expect(
                code: 1, saying: "may not make foreign keys that refer to \(crm.name).customer",
                grant)
            let databases = "SHOW DATABASES LIKE '\(copy.name)'"
            #expect(try await server.query(databases) == "")
            // By a column that the key does not refer to: some servers refuse that, and only then.
            try await server.query(
                """
                ALTER TABLE \(crm.name).customer ADD name int;
                GRANT REFERENCES (name) ON \(crm.name).customer TO '\(account)'@'%'
                """)
            let partial = try await bench.dbtool(words, as: account)
            try partial.requireCode(3)
            #expect(partial.output.contains("of_customer"), "\(partial)")
            #expect(try await copy.query("SELECT COUNT(*) FROM shown") == "1")
            try await server.query("DROP DATABASE \(copy.name); \(grant)")
            let unread = try await bench.dbtool(words, as: account)
            try unread.requireCode(3)
            #expect(unread.output.contains("customer, which may not be read"), "\(unread)")
            #expect(try await copy.query("SELECT COUNT(*) FROM shown") == "1")
            try await server.query("DROP DATABASE \(copy.name)")

            try await server.query("SET SESSION foreign_key_checks = 0; DROP DATABASE \(crm.name)")
            let absent = try await bench.restore(into: copy, ["--create"])
            try absent.requireCode(3)
            #expect(absent.output.contains("customer, which is not there"), "\(absent)")
            #expect(try await copy.query("SELECT COUNT(*) FROM shown") == "1")
            try await bench.restore(
                into: copy, ["-tablename", "orders", "--existing", "truncate"]
            ).expect(code: 0, saying: "warning: rows of", "customer, which is not there")
            #expect(try await copy.query("SELECT COUNT(*) FROM orders") == "1")
        }
    }

    /// The servers heed grants on a database of whoever has the account's name and a host that fits, and show them to nobody.
    @Test(arguments: MySQLTestServer.all)
    func `what is granted to the same name under another host is not missing`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let (crm, copy) = (bench.other("crm"), bench.other("copy"))
            try await server.query(
                """
                CREATE DATABASE \(crm.name); CREATE TABLE \(crm.name).customer (id int PRIMARY KEY) ENGINE = InnoDB;
                INSERT INTO \(crm.name).customer VALUES (1)
                """)
            try await bench.source.query(
                """
                CREATE TABLE orders (id int PRIMARY KEY, c int, CONSTRAINT of_customer FOREIGN KEY (c)
                  REFERENCES \(crm.name).customer (id)) ENGINE = InnoDB; INSERT INTO orders VALUES (1, 1)
                """)
            _ = try await bench.backUp()
            let account = try await bench.source.createAccount(
                "restorer", ["ALL ON {}_copy.*", "SELECT, REFERENCES ON {}_crm.*"])
            try await server.query("CREATE USER '\(account)'@'127.0.0.1' IDENTIFIED BY ''")
            let words = [
                "restore", "latest", "-path", bench.repository, "--into", copy.name, "--create",
                "--no-owner",
            ]
            try await bench.dbtool(words, as: account).expect(
                code: 0, saying: "warning: account \(account)@127.0.0.1 may not make foreign keys",
                "unless a grant to the same name under another host gives it")
            let statement = "SHOW CREATE TABLE orders"
            #expect(try await copy.query(statement) == bench.source.query(statement))
        }
    }
}
