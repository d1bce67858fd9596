import BackupTesting
import Foundation
import Testing

/// What can be asked of the points of a chain of MySQL or MariaDB, and what becomes of them.
@Suite struct MySQLPointTests {
    @Test(arguments: MySQLTestServer.all)
    func `rows, differences and the history of a row are those of the points`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                #"""
                CREATE TABLE t (k varchar(20) COLLATE utf8mb4_bin NOT NULL, n int NOT NULL, v varchar(20), b blob, at datetime(3),
                  PRIMARY KEY (k, n)) ENGINE = InnoDB;
                INSERT INTO t VALUES ('é,1', 1, 'a', x'00ff', '2024-01-01 00:00:00.5'), ('b', 2, NULL, NULL, NULL), ('c', 3, '', '', NULL);
                CREATE TABLE loose (v varchar(9)) ENGINE = InnoDB; INSERT INTO loose VALUES ('x'), ('x');
                """#)
            let full = try await bench.backUp()
            try await bench.source.load(
                "UPDATE t SET v = 'A' WHERE n = 1; INSERT INTO loose VALUES ('x');")
            let first = try await bench.backUp(["differential", "backup"])
            try await bench.source.load(
                "DELETE FROM t WHERE n = 1; INSERT INTO t VALUES ('d', 4, 'new', NULL, NULL);")
            let second = try await bench.backUp(["incremental", "backup"])

            let rows = try await bench.read(["rows", first.id, "t"])
            #expect(
                Set(rows.output.split(separator: "\n")) == [
                    "k,n,v,b,at", "\"é,1\",1,A,\\x00ff,2024-01-01 00:00:00.500", "b,2,,,",
                    "c,3,\"\",\\x,",
                ], "\(rows)")
            let diff = try await bench.read(["diff", full.id, second.id, "--json"])
            let tables = try JSON(parsing: diff.output)["tables"].items
            let counts = Dictionary(
                tables.map { table in
                    (
                        table["name"].string ?? "",
                        ["added", "changed", "deleted"].map { table[$0].integer }
                    )
                }
            ) { one, _ in one }
            #expect(counts == ["t": [1, 0, 1], "loose": [1, 0, 0]], "\(diff)")
            let key = "\"é,1\",1"
            let history = try await bench.read(["history", "t", key, "--json"])
            let events = try JSON(parsing: history.output)["events"].items
            #expect(
                events.map { $0["event"].string } == ["appeared", "changed", "went"], "\(history)")
            #expect(events.map { $0["id"].string } == [full.id, first.id, second.id])

            for id in [first.id, second.id] {
                let drill = ["verify", id, "-path", bench.repository, "--drill", "--same-server"]
                try await bench.dbtool(drill).requireCode(0)
            }
            try Data("damaged".utf8).write(
                to: URL(fileURLWithPath: "\(second.folder)/t_diff.csv"))
            let verify = try await bench.dbtool(["verify", second.id, "-path", bench.repository])
            #expect(verify.code == 4 && verify.output.contains("t_diff.csv"), "\(verify)")
            try await bench.dbtool(["verify", first.id, "-path", bench.repository]).requireCode(0)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `prune removes what nothing needs, and what is left comes back`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
            let old = try await bench.backUp()
            let full = try await bench.backUp()
            var points: [(id: String, contents: String)] = []
            for number in 1...3 {
                try await bench.source.query(
                    "UPDATE t SET v = v + 10 WHERE id = 1; INSERT INTO t VALUES (\(number + 10), 0)"
                )
                let point = try await bench.backUp([
                    number == 2 ? "differential" : "incremental", "backup",
                ])
                points.append((point.id, try await bench.contents(of: bench.source)))
            }
            let prune = try await bench.read(["prune", "--keep-last", "1", "--json"])
            try prune.requireCode(0)
            let left = try await bench.read(["list", "--json"])
            let ids = try JSON(parsing: left.output)["backups"].items.compactMap { $0["id"].string }
            // The last rests on the second; the first is needed by nobody.
            #expect(ids == [full.id, points[1].id, points[2].id], "\(left) \(old.id)")
            for (number, point) in points.enumerated().dropFirst() {
                let copy = try await bench.restored(point.id, into: "copy\(number)")
                #expect(try await bench.contents(of: copy) == point.contents)
            }
        }
    }

    /// A whole table of every kind that both products have, from one to the other.
    @Test(arguments: MySQLTestServer.all)
    func `the other product takes the values of every type that it has`(
        server: MySQLTestServer
    ) async throws {
        let other = try #require(MySQLTestServer.all.first { $0.product != server.product })
        try await MySQLBench.with(server) { bench in
            let table = """
                CREATE TABLE t (id int PRIMARY KEY, a tinyint, b bigint unsigned, c decimal(30,10), d double, e float, f bit(9),
                  g char(5), h varchar(99), i longtext, j binary(4), k varbinary(9), l longblob, m enum('x', 'y, "z"'), n set('p', 'q'),
                  o date, p time(3), q datetime(6), r timestamp(2) NULL, s year, u json, v geometry,
                  w varchar(20) CHARACTER SET latin2) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
                """
            try await bench.source.load(
                #"""
                \#(table);
                SET SESSION time_zone = '+00:00';
                INSERT INTO t VALUES (1, -128, 18446744073709551615, -12345678901234567890.0123456789, 0.1, 1e-38, b'101010101', 'é', 'quote " and
                line', '\\x41', x'00ff0000', x'00', x'000102ff', 'y, "z"', 'p,q', '9999-12-31', '-838:59:59', '2024-02-29 23:59:59.999999',
                  '2037-01-01 00:00:00.25', 2155, '{"a": [1, null, "é"]}', ST_GeomFromText('POINT(1 2)', 0), 'ąę');
                INSERT INTO t (id, g, h, i, k) VALUES (2, '', '', '', ''), (3, NULL, NULL, NULL, NULL);
                """#)
            let backup = try await bench.backUp()
            let target = MySQLTestDatabase(name: "\(bench.source.name)_there", server: other)
            try await other.query("CREATE DATABASE \(target.name)")
            try await target.query(table)
            let words = [
                "restore", backup.id, "-path", bench.repository, "--into", target.name,
                "--data-only",
                "--yes",
            ]
            try await bench.dbtool(words, on: other).requireCode(0)
            let question = """
                SELECT id, a, b, c, d, e * 1.0e0, HEX(f), HEX(g), HEX(h), HEX(i), HEX(j), HEX(k), HEX(l), HEX(m), n + 0, o, p, q, r, s,
                  JSON_EXTRACT(u, '$.a[2]'), ST_AsText(v), HEX(w) FROM t ORDER BY id
                """
            let zone = "SET SESSION time_zone = '+00:00'; "
            #expect(
                try await target.query(zone + question)
                    == bench.source.query(zone + question))
            try await other.query("DROP DATABASE \(target.name)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `the first thing that the other product does not have is named`(
        server: MySQLTestServer
    ) async throws {
        let other = try #require(MySQLTestServer.all.first { $0.product != server.product })
        try await MySQLBench.with(server) { bench in
            let (table, words) =
                server.isMariaDB
                ? ("CREATE TABLE t (id int PRIMARY KEY, u uuid)", "UUID")
                : (
                    "CREATE TABLE t (id int PRIMARY KEY, u char(36) DEFAULT (uuid())) COLLATE utf8mb4_0900_ai_ci",
                    "utf8mb4_0900_ai_ci"
                )
            try await bench.source.query(table)
            let backup = try await bench.backUp()
            let end = try await bench.dbtool(
                [
                    "restore", backup.id, "-path", bench.repository, "--into",
                    "\(bench.source.name)_there", "--create",
                ], on: other)
            end.expect(code: 1, saying: words, "table t", "--data-only")
            #expect(!end.errors.contains("UUID") || server.isMariaDB, "\(end)")
        }
    }

    /// Columns of a table, what stands behind them, and a word of what is said of it to the other product.
    private static let ofTheirOwn: (mysql: [[String]], mariaDB: [[String]]) = (
        mysql: [
            ["p point NOT NULL SRID 4326", "", "one SRID"], ["v int INVISIBLE", "", "INVISIBLE"],
            ["v int, KEY (v) INVISIBLE", "", "INVISIBLE"],
            ["v int, CHECK (v > 0) NOT ENFORCED", "", "NOT ENFORCED"],
            ["v varchar(9), KEY ((lower(v)))", "", "key on an expression"],
            ["v vector(3)", "", "VECTOR"], ["g geomcollection", "", "GEOMCOLLECTION"],
            ["v varchar(9) COLLATE utf8mb4_0900_as_cs", "", "utf8mb4_0900_as_cs"],
        ],
        mariaDB: [
            ["a inet6", "", "INET6"], ["v int INVISIBLE", "", "INVISIBLE"],
            ["v int, KEY (v) IGNORED", "", "IGNORED"], ["v text COMPRESSED", "", "COMPRESSED"],
            ["v int", "WITH SYSTEM VERSIONING", "SYSTEM VERSIONING"],
            ["s date, e date, PERIOD FOR app (s, e)", "", "PERIOD"],
            ["v varchar(9) COLLATE utf8mb4_uca1400_ai_ci", "", "utf8mb4_uca1400_ai_ci"],
        ]
    )

    @Test(arguments: MySQLTestServer.all)
    func `what the other product does not have is found in what the server prints`(
        server: MySQLTestServer
    ) async throws {
        let other = try #require(MySQLTestServer.all.first { $0.product != server.product })
        let cases = server.isMariaDB ? Self.ofTheirOwn.mariaDB : Self.ofTheirOwn.mysql
        try await MySQLBench.with(server) { bench in
            for parts in cases {
                // A collation that both have: else that of the table would be named.
                try await bench.source.query(
                    """
                    DROP TABLE IF EXISTS t;
                    CREATE TABLE t (id int PRIMARY KEY, \(parts[0])) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin \(parts[1])
                    """)
                let backup = try await bench.backUp()
                let end = try await bench.dbtool(
                    [
                        "restore", backup.id, "-path", bench.repository, "--into",
                        "\(bench.source.name)_there", "--create",
                    ], on: other)
                end.expect(code: 1, saying: parts[2], "table t", "--data-only")
                #expect(!end.errors.contains("words of their own"), "\(end)")
            }
            guard server.isMariaDB else { return }
            try await bench.source.query("CREATE SEQUENCE s")
            let backup = try await bench.backUp()
            try await bench.dbtool(
                [
                    "restore", backup.id, "-path", bench.repository, "--into",
                    "\(bench.source.name)_there", "--create",
                ], on: other
            ).expect(code: 1, saying: "it has no sequences, and sequence s is one")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `tables without snapshots are named, and so are things that nobody may see`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB; CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM;
                CREATE TRIGGER fires BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id;
                CREATE PROCEDURE theirs() SELECT 1;
                """)
            let account = try await bench.source.createAccount(
                "reader", ["SELECT, SHOW VIEW ON {}.*"])
            let backup = try await bench.backUp(as: account)
            let warnings = backup.report["warnings"].items.compactMap(\.string)
                .joined(separator: "\n")
            for words in [
                "no snapshot holds old (MyISAM)", "may not see triggers", "may not see events",
                "may not see procedures and functions",
            ] {
                #expect(warnings.contains(words), "\(warnings)")
            }
            #expect(backup.report["consistency"].string?.isEmpty == false)
            let check = [
                "check", "--json", "-path", bench.repository, "--database", bench.source.name,
            ]
            try await bench.dbtool(check, as: account).requireCode(0)
            // Who may call it sees it, and must see what makes it.
            try await server.query("GRANT EXECUTE ON \(bench.source.name).* TO '\(account)'@'%'")
            let full = [
                "full", "database", "-path", bench.repository, "--database", bench.source.name,
            ]
            for words in [check, full] {
                let end = try await bench.dbtool(words, as: account)
                #expect(end.code == 1, "\(end)")
                #expect(
                    (end.output + end.errors).contains("may not see what makes procedure theirs"),
                    "\(end)")
            }
            let grant =
                server.isMariaDB ? "SELECT ON mysql.proc" : "SHOW_ROUTINE ON *.*"
            try await server.query("GRANT \(grant) TO '\(account)'@'%'")
            let again = try await bench.backUp(as: account)
            #expect(
                try String(contentsOfFile: "\(again.folder)/schema.sql", encoding: .utf8)
                    .contains("`theirs`"))
        }
    }
}
