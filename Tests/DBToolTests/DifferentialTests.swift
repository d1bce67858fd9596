import BackupTesting
import Foundation
import Testing

/// Differentials and incrementals as a user makes them: what they hold, why, and what they are good for.
@Suite struct DifferentialTests {
    @Test(arguments: TestServer.all)
    func `each table goes the way that its change asks for, and the report says why`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("ways")
            try await source.query(
                """
                CREATE TYPE mood AS ENUM ('a', 'b'); CREATE SCHEMA s;
                CREATE TABLE same (id integer PRIMARY KEY, v text);
                CREATE TABLE changed (id integer PRIMARY KEY, v text);
                CREATE TABLE rewritten (id integer PRIMARY KEY, v text);
                CREATE TABLE enum (id integer PRIMARY KEY, m mood);
                CREATE TABLE wider (id integer PRIMARY KEY, v text);
                CREATE TABLE rekeyed (id integer PRIMARY KEY, v integer NOT NULL);
                CREATE TABLE keyless (v text); CREATE TABLE keyless_same (v text);
                CREATE TABLE gone (id integer PRIMARY KEY); CREATE TABLE old_name (id integer PRIMARY KEY, v text);
                CREATE TABLE names (id integer PRIMARY KEY, r regclass);
                CREATE TABLE swapped (id integer PRIMARY KEY, x text, y text);
                INSERT INTO same SELECT i, 'v' FROM generate_series(1, 3000) i;
                INSERT INTO changed SELECT i, 'v' FROM generate_series(1, 3000) i;
                INSERT INTO rewritten SELECT i, 'v' FROM generate_series(1, 3000) i;
                INSERT INTO enum SELECT i, 'a' FROM generate_series(1, 3000) i;
                INSERT INTO wider SELECT i, 'v' FROM generate_series(1, 3000) i;
                INSERT INTO rekeyed SELECT i, i FROM generate_series(1, 3000) i;
                INSERT INTO keyless VALUES ('x'); INSERT INTO keyless_same VALUES ('x');
                INSERT INTO old_name VALUES (1, 'x'); INSERT INTO names VALUES (1, 'same');
                INSERT INTO swapped VALUES (1, 'x', 'y');
                CREATE TABLE odd (k text PRIMARY KEY, v text);
                INSERT INTO odd VALUES ('\\.', '1'), ('', '2'), (',', '3'), ('"', '4'), (E'\\n', '5'), ('NULL', '6');
                CREATE TABLE odder (v text, b text, a text, PRIMARY KEY (a, b));
                INSERT INTO odder VALUES ('1', '', ''), ('2', '', 'x'), ('3', 'y', ''), ('4', '\\.', '\\.'), ('5', ',', '"');
                """)
            _ = try await bench.backUp(source)
            try await source.query(
                """
                UPDATE changed SET v = 'w' WHERE id <= 30; DELETE FROM changed WHERE id > 2990;
                UPDATE changed SET v = v WHERE id BETWEEN 100 AND 200;
                INSERT INTO changed VALUES (9999, NULL);
                UPDATE rewritten SET v = 'w' WHERE id = 7;
                UPDATE odd SET v = 'x' WHERE k = ''; DELETE FROM odd WHERE k = ',';
                UPDATE odder SET v = 'x' WHERE a = ''; DELETE FROM odder WHERE a = 'x';
                ALTER TYPE mood RENAME VALUE 'a' TO 'c'; ALTER TABLE wider ADD COLUMN w integer DEFAULT 5;
                ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey; ALTER TABLE rekeyed ADD PRIMARY KEY (v);
                INSERT INTO keyless VALUES ('x'); DROP TABLE gone; CREATE TABLE new (id integer PRIMARY KEY);
                ALTER TABLE old_name RENAME TO new_name;
                ALTER TABLE swapped RENAME x TO z; ALTER TABLE swapped RENAME y TO x; ALTER TABLE swapped RENAME z TO y;
                """)
            try await source.query("VACUUM FULL rewritten")
            let report = try await bench.differential(source)
            let expected: [String: TableChange] = [
                "same": .init(mode: "unchanged", basis: "xmin"),
                "changed": .init(mode: "changes", basis: "xmin", rows: 31, tombstones: 10),
                "rewritten": .init(mode: "changes", basis: "compare", rows: 1),
                "enum": .init(mode: "changes", basis: "compare", rows: 3000),
                "wider": .init(mode: "whole", rows: 3000),
                "rekeyed": .init(mode: "whole", rows: 3000),
                "keyless": .init(mode: "whole", basis: "compare", rows: 2),
                "keyless_same": .init(mode: "unchanged", basis: "compare"),
                "odd": .init(mode: "changes", basis: "xmin", rows: 1, tombstones: 1),
                "odder": .init(mode: "changes", basis: "xmin", rows: 2, tombstones: 1),
                "gone": .init(mode: "dropped"), "new": .init(mode: "whole"),
                "old_name": .init(mode: "dropped"), "new_name": .init(mode: "whole", rows: 1),
                "names": .init(mode: "unchanged", basis: "compare"),
                "swapped": .init(mode: "whole", rows: 1),
            ]
            for (name, wanted) in expected {
                var found = try #require(report.change(name), "\(name)")
                #expect(!found.reason.isEmpty, "\(name)")
                found.reason = ""
                #expect(found == wanted, "\(name)")
            }
            #expect(report.folder.contains("/.backup_diff/"))
            try await bench.dbtool(["verify", "latest", "-path", bench.repository]).requireCode(0)
            try await bench.expectEqual(source, bench.restored())
        }
    }

    @Test(arguments: TestServer.all)
    func `old and new points of one chain are restored side by side, tables alone too`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.shop()
            var copies: [(String, TestDatabase)] = []
            copies.append(
                (
                    try await bench.backUp(source, ["-compress", "zstd"]).id,
                    try await bench.duplicate(source, "p0")
                ))
            let changes = [
                "UPDATE customers SET name = 'new ' || id WHERE id % 50 = 0; DELETE FROM order_lines WHERE line = 3",
                "TRUNCATE warehouse.movements; INSERT INTO products (title, price) SELECT 'p' || i, i FROM generate_series(1, 90) i",
                "DELETE FROM order_lines; ALTER TABLE customers ADD COLUMN tag text DEFAULT 'x'",
            ]
            for (index, change) in changes.enumerated() {
                try await source.query("\(change); REFRESH MATERIALIZED VIEW monthly_sales")
                let backup =
                    index == 1
                    ? try await bench.differential(source) : try await bench.incremental(source)
                copies.append((backup.id, try await bench.duplicate(source, "p\(index + 1)")))
            }
            for (id, copy) in copies {
                try await bench.expectEqual(copy, bench.restored(id))
            }
            let (id, before) = copies[1]
            let target = try await bench.duplicate(source, "one")
            try await bench.restore(
                id, into: target, ["-tablename", "customers", "--as", "customers_then"],
                creating: false
            ).requireCode(0)
            let sum = "SELECT count(*), sum(hashtext(id || name))"
            #expect(
                try await target.query("\(sum) FROM customers_then")
                    == before.query("\(sum) FROM customers"))
            // On the tests' own server other drills look for databases that were left behind.
            try await bench.withOwnServer { own in
                try await bench.dbtool(
                    ["verify", copies[3].0, "-path", bench.repository, "--drill"]
                        + bench.connection(to: own.server)
                ).requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a restart is answered by comparing, once, or trusted`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            var bases: [String?] = []
            for words in [[], [], ["--trust-restart"]] {
                try await bench.withOwnServer { own in
                    if bases.isEmpty {
                        try await own.query(
                            "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')"
                        )
                        _ = try await bench.backUp(own)
                    }
                    try await own.query("UPDATE t SET v = v || 'x' WHERE id = 1")
                    for _ in 0..<2 {
                        bases.append(try await bench.incremental(own, words).change("t")?.basis)
                    }
                }
            }
            #expect(bases == ["xmin", "xmin", "compare", "xmin", "xmin", "xmin"])
        }
    }

    @Test(arguments: TestServer.all)
    func `a database that was dropped and made again does not continue by row versions`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("again")
            let sql =
                "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, 'a' FROM generate_series(1, 2000) i"
            try await source.query(sql)
            _ = try await bench.backUp(source)
            try await bench.administration.query("DROP DATABASE \(source.name)")
            try await bench.administration.query("CREATE DATABASE \(source.name)")
            try await source.query(
                "\(sql); UPDATE t SET v = 'b' WHERE id = 3; DELETE FROM t WHERE id = 4")
            let change = try await bench.differential(source).change("t")
            #expect(change?.basis == "compare" && change?.rows == 1 && change?.tombstones == 1)
            #expect(change?.reason.contains("dropped and created again") == true)
            try await bench.expectEqual(source, bench.restored())
        }
    }

    @Test(arguments: TestServer.all)
    func `a chain of some tables keeps its scope, and goes on without those that are gone`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("scope")
            try await source.query(
                "CREATE TABLE a1 (id integer PRIMARY KEY); CREATE TABLE a2 (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY); INSERT INTO a1 VALUES (1)"
            )
            _ = try await bench.backUp(
                source, scope: ["tables", "-tablename", "a*", "-tablename", "b"])
            try await source.query(
                "DROP TABLE b; CREATE TABLE a3 (id integer PRIMARY KEY); CREATE TABLE c (id integer); INSERT INTO a1 VALUES (2)"
            )
            let report = try await bench.differential(source)
            #expect(report.change("a3")?.mode == "whole" && report.change("c") == nil)
            #expect(report.change("b")?.mode == "dropped")
            let copy = try await bench.restored()
            #expect(try await copy.query("SELECT count(*) FROM a1") == "2")
            #expect(
                try await copy.query("SELECT to_regclass('b') IS NULL AND to_regclass('c') IS NULL")
                    == "t")
        }
    }

    @Test(arguments: TestServer.all)
    func `a differential that is killed leaves its chain as it was`(server: TestServer) async throws
    {
        try await Workbench.with(server) { bench in
            let source = try await bench.shop()
            _ = try await bench.backUp(source)
            try await source.query(
                "UPDATE order_lines SET quantity = quantity + 1; REFRESH MATERIALIZED VIEW monthly_sales"
            )
            let before = try await bench.duplicate(source, "before")
            for share in [0.1, 0.3, 0.5, 0.8] {
                _ = try await bench.dbtool(
                    ["incremental", "backup", "-path", bench.repository] + bench.connection()
                        + ["--database", source.name]
                ) { running in
                    try await Task.sleep(for: .milliseconds(Int(share * 900)))
                    try? running.send(SIGKILL)
                }
                try await bench.dbtool(["verify", "latest", "-path", bench.repository]).requireCode(
                    0)
            }
            _ = try await bench.incremental(source)
            #expect(
                try await bench.dbtool(["list", "-path", bench.repository]).output.contains(
                    "unfinished") == false)
            try await bench.expectEqual(before, bench.restored())
        }
    }

    @Test(arguments: TestServer.all)
    func `merge, diff, history, pin and prune work on a chain`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("verbs")
            try await source.query(
                "CREATE TABLE t (id integer, k text, v text, PRIMARY KEY (k, id)); INSERT INTO t SELECT i, 'k,' || i, NULL FROM generate_series(1, 500) i"
            )
            let full = try await bench.backUp(source)
            try await source.query(
                "UPDATE t SET v = '' WHERE id = 7; DELETE FROM t WHERE id = 8; INSERT INTO t VALUES (900, 'new', 'n')"
            )
            let first = try await bench.differential(source)
            try await source.query(
                "DELETE FROM t WHERE id = 7; UPDATE t SET v = 'z' WHERE id = 900")
            let second = try await bench.incremental(source)

            let diff = try await bench.dbtool([
                "diff", full.id, second.id, "-path", bench.repository, "--json",
            ])
            let table = try JSON(parsing: diff.output)["tables"][0]
            #expect(
                [table["added"], table["changed"], table["deleted"]].map(\.integer) == [1, 0, 2])
            let rows = try await bench.dbtool(
                ["diff", full.id, first.id, "-path", bench.repository, "-format", "csv"])
            #expect(rows.output.contains("public,t,changed,\"\"\"k,7\"\",7\",v,,\"\"\n"), "\(rows)")
            #expect(rows.output.contains("public,t,deleted,\"\"\"k,8\"\",8\",id,8,\n"), "\(rows)")

            let history = try await bench.dbtool(
                ["history", "t", "\"k,7\",7", "-path", bench.repository, "--json"])
            let events = try JSON(parsing: history.output)["events"].items
            #expect(events.map { $0["event"].string } == ["appeared", "changed", "went"])
            #expect(events.map { $0["id"].string } == [full.id, first.id, second.id])
            try await bench.dbtool(["history", "t", "7", "-path", bench.repository])
                .expect(code: 2, saying: "k,id")

            let merged = try await bench.dbtool([
                "merge", "latest", "-path", bench.repository, "--json",
            ])
            try merged.requireCode(0)
            let id = try StoredBackup(merged).id
            #expect(
                try JSON(parsing: merged.output)["merged_from"].items.compactMap(\.string)
                    == [full.id, first.id, second.id], "\(merged)")
            try await bench.expectEqual(source, bench.restored(id))
            try await source.query("INSERT INTO t VALUES (901, 'on', 'm')")
            let next = try await bench.differential(source)
            #expect(next.report["base_id"].string == id)
            #expect(
                next.change("t")
                    == TableChange(
                        mode: "changes", basis: "xmin", rows: 1,
                        reason: next.change("t")?.reason ?? ""))

            try await bench.dbtool(["pin", first.id, "-path", bench.repository]).requireCode(0)
            let prune = ["prune", "-path", bench.repository, "--keep-last", "1", "--json"]
            let plan = try await bench.dbtool(prune + ["--dry-run"])
            let text = try await bench.dbtool(Array(prune.dropLast()) + ["--dry-run"])
            #expect(
                text.output.split(separator: "\n").dropFirst().first?.split(separator: " ")
                    == ["ID", "DECISION", "WHY"], "\(text)")
            let pruned = try await bench.dbtool(prune)
            for end in [plan, pruned] {
                let kept = try JSON(parsing: end.output)["backups"].items.filter {
                    $0["kept"].boolean == true
                }
                #expect(
                    Set(kept.compactMap { $0["id"].string }) == [full.id, first.id, id, next.id])
            }
            try await bench.dbtool(["prune", "-path", bench.repository]).expect(
                code: 2, saying: "keep")
            try await bench.dbtool(["verify", first.id, "-path", bench.repository]).requireCode(0)
            try await bench.expectEqual(source, bench.restored())
            try await bench.dbtool(["rows", second.id, "t", "-path", bench.repository])
                .expect(code: 1, saying: "no backup is called")
        }
    }

    @Test(arguments: TestServer.all)
    func `diff and history go by names where columns and keys have changed`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("names")
            try await source.query(
                """
                CREATE TABLE same (id integer PRIMARY KEY, x text, y text); INSERT INTO same VALUES (1, 'B', 'A');
                CREATE TABLE miss (id integer PRIMARY KEY, x text, y text); INSERT INTO miss VALUES (1, 'B', 'A');
                CREATE TABLE rekeyed (id integer PRIMARY KEY, k integer NOT NULL UNIQUE, v text);
                INSERT INTO rekeyed VALUES (1, 2, 'one'), (2, 1, 'two');
                """)
            let full = try await bench.backUp(source)
            try await source.query(
                """
                ALTER TABLE same DROP COLUMN x; UPDATE miss SET y = x; ALTER TABLE miss DROP COLUMN x;
                ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey, DROP CONSTRAINT rekeyed_k_key;
                ALTER TABLE rekeyed ADD PRIMARY KEY (k);
                """)
            _ = try await bench.incremental(source)
            let rows = try await bench.dbtool(
                ["diff", full.id, "latest", "-path", bench.repository, "-format", "csv"])
            let lines = rows.output.split(separator: "\n").dropFirst().filter {
                !$0.contains("rekeyed")
            }
            #expect(lines == ["public,miss,changed,1,y,A,B"], "\(rows)")
            let history = try await bench.dbtool(
                ["history", "rekeyed", "1", "-path", bench.repository, "--json"])
            let events = try JSON(parsing: history.output)["events"].items
            #expect(events.map { $0["event"].string } == ["appeared", "key changed"])
            let file = try full.dataFile(of: "miss")
            try Data("id,x,y\n1,B,Z\n".utf8).write(to: URL(fileURLWithPath: file))
            try await bench.dbtool(["history", "miss", "1", "-path", bench.repository])
                .expect(code: 4, saying: "damaged")
        }
    }

    @Test(arguments: TestServer.all)
    func `what cannot be restored stands for nothing, and nothing of it is removed`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            var layers: [StoredBackup] = []
            for number in 0..<3 {
                try await source.query("INSERT INTO pets VALUES ('late \(number)', 1)")
                layers.append(try await bench.incremental(source))
            }
            let metadata = "\(layers[1].folder)/metadata.json"
            try FileManager.default.moveItem(atPath: metadata, toPath: "\(bench.folder)/kept.json")
            let list = try await bench.dbtool(["list", "-path", bench.repository])
            #expect(list.output.contains("broken: what it rests on is missing"), "\(list)")
            let prune = try await bench.dbtool(
                ["prune", "-path", bench.repository, "--keep-last", "1", "--json"])
            #expect(try JSON(parsing: prune.output)["removed"].integer == 0, "\(prune)")
            let again = try await bench.dbtool(
                ["prune", "-path", bench.repository, "--keep-last", "1"])
            #expect(again.output.hasPrefix("\(source.name): nothing removed\n"), "\(again)")
            // The next run leaves the folder alone, and rests on what can be read.
            let next = try await bench.incremental(source)
            #expect(next.report["parent_id"].string == layers[0].id)
            try FileManager.default.moveItem(atPath: "\(bench.folder)/kept.json", toPath: metadata)
            for id in [layers[2].id, next.id] {
                try await bench.dbtool(["verify", id, "-path", bench.repository]).requireCode(0)
                try await bench.expectEqual(source, bench.restored(id))
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what is large is joined in files as well as in memory`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("large")
            try await source.query(
                "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, 400000) i"
            )
            _ = try await bench.backUp(source)
            // Another order and most rows changed: neither fits into memory.
            try await source.query(
                "CREATE INDEX by ON t (md5(id::text)); CLUSTER t USING by; UPDATE t SET v = v || 'x' WHERE id % 3 > 0; DELETE FROM t WHERE id % 7 = 0"
            )
            for words in [[], ["-basis", "compare", "--max-share", "900"]] {
                let change = try await bench.differential(source, words).change("t")
                #expect(
                    change?.rows == 228_572 && change?.tombstones == 57_142,
                    "\(String(describing: change))")
            }
            let copy = try await bench.restored()
            let sum = "SELECT count(*), sum(hashtext(t::text)) FROM t"
            #expect(try await source.query(sum) == copy.query(sum))
        }
    }
}
