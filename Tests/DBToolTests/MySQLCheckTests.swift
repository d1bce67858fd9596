import BackupTesting
import Foundation
import Testing

/// `check` names each privilege that an account of MySQL or MariaDB lacks, what that costs, and what grants it.
@Suite struct MySQLCheckTests {
    /// A privilege that an account lacks, having all others.
    enum Gap: String, CaseIterable, CustomTestStringConvertible {
        case select, columns, view, trigger, event, routines
        /// Of a routine that the account may call, and so sees.
        case body

        var testDescription: String { rawValue }

        private static let databasePrivileges = [
            Gap.select: "SELECT", .view: "SHOW VIEW", .trigger: "TRIGGER", .event: "EVENT",
        ]

        /// What the account has, as between `GRANT` and `TO`.
        func grants(on server: MySQLTestServer) -> [String] {
            let lacking: Gap = self == .columns ? .select : self
            var grants = Self.databasePrivileges.filter { $0.key != lacking }
                .map { "\($0.value) ON {}.*" }
            if self != .routines, self != .body { grants.append(server.routinePrivilege) }
            if self == .columns { grants.append("SELECT (id) ON {}.t") }
            if self == .body { grants.append("EXECUTE ON {}.*") }
            return grants + ["LOCK TABLES ON {}.*"]
        }

        /// What it lacks, in the same way.
        func lack(in database: MySQLTestDatabase) -> String {
            switch self {
            case .columns: "SELECT ON `\(database.name)`.`t`"
            case .routines, .body: database.server.routinePrivilege
            default: "\(Self.databasePrivileges[self] ?? "") ON `\(database.name)`.*"
            }
        }

        func cost(in database: MySQLTestDatabase) -> String {
            switch self {
            case .select: "may not read all of \(database.name): tables would be missing"
            case .columns: "may not read all columns of t"
            case .view: "may not see what makes view the_view"
            case .trigger: "may not see triggers: they are not in the backup"
            case .event: "may not see events: they are not in the backup"
            case .routines: "may not see procedures and functions: they are not in the backup"
            case .body: "may not see what makes procedure the_procedure"
            }
        }

        /// What a backup is without it; nil where there is none.
        var missing: String? {
            switch self {
            case .trigger: "the_trigger"
            case .event: "the_event"
            case .routines: "the_procedure"
            case .select, .columns, .view, .body: nil
            }
        }

        /// What is checked, and backed up.
        var selection: [String] { self == .columns ? ["--tablename", "t"] : [] }
        var verb: [String] {
            self == .columns ? ["full", "tables", "--tablename", "t"] : ["full", "database"]
        }
    }

    @Test(arguments: MySQLTestServer.all, Gap.allCases)
    func `a privilege that is missing costs what check says, and its statement mends it`(
        server: MySQLTestServer, gap: Gap
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fillWithOneOfEach()
            let account = try await bench.source.createAccount("u", gap.grants(on: server))
            let cost = gap.cost(in: bench.source)
            let check = try await bench.check(gap.selection, as: account)
            check.expect(code: gap.missing == nil ? 1 : 0)
            let severity = gap.missing == nil ? "problem" : "warning"
            #expect(check.severities("privileges") == [severity], "\(check.end)")
            #expect(check.text("privileges") == "account \(account)@% \(cost)")
            let fix = check.fix(of: "privileges")
            #expect(fix == ["GRANT \(gap.lack(in: bench.source)) TO '\(account)'@'%';"])
            try await expectCost(of: gap, as: account, bench)

            try await server.query(fix.joined(separator: "\n"))
            let mended = try await bench.check(gap.selection, as: account)
            mended.expect(code: 0)
            #expect(mended.severities("privileges") == ["ok"], "\(mended.end)")
            let backup = try await bench.backUp(gap.verb, as: account)
            #expect(backup.report["warnings"].items == [])
            if let missing = gap.missing {
                #expect(try definition(of: backup).contains(missing))
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `check says who may not be told by a column what changed, and its statement mends it`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, KEY (n)) ENGINE = InnoDB; INSERT INTO t VALUES (1, 1), (2, 2)"
            )
            let account = try await bench.source.createAccount("u", server.backupPrivileges)
            func way() async throws -> TableChange? {
                _ = try await bench.backUp(as: account)
                return try await bench.backUp(
                    ["differential", "backup"], ["-basis", "column:n", "--monotonic"], as: account
                ).change("t")
            }
            let check = try await bench.check(as: account)
            check.expect(code: 0)
            #expect(check.severities("column basis") == ["note"], "\(check.end)")
            #expect(check.text("column basis").contains("-basis column compares instead"))
            let fix = check.fix(of: "column basis")
            #expect(fix == ["GRANT PROCESS ON *.* TO '\(account)'@'%';"])
            let before = try await way()
            #expect(before?.basis == "compare", "\(String(describing: before))")
            #expect(before?.reason.contains("PROCESS") == true, "\(String(describing: before))")

            try await server.query(fix.joined(separator: "\n"))
            #expect(try await bench.check(as: account)["column basis"].isEmpty)
            #expect(try await way()?.basis == "column")
        }
    }

    /// Expects of a backup what `check` has said.
    private func expectCost(of gap: Gap, as account: String, _ bench: MySQLBench) async throws {
        let (cost, lack) = (gap.cost(in: bench.source), gap.lack(in: bench.source))
        guard let missing = gap.missing else {
            try await bench.dbtool(
                gap.verb + ["-path", bench.repository, "--database", bench.source.name],
                as: account
            ).expect(code: 1, saying: cost, "GRANT \(lack) TO '\(account)'@'%';")
            return
        }
        let backup = try await bench.backUp(gap.verb, as: account)
        let warnings = backup.report["warnings"].items.compactMap(\.string)
        #expect(warnings.count == 1 && warnings.allSatisfy { $0.contains(cost) }, "\(warnings)")
        #expect(!(try definition(of: backup).contains(missing)))
    }

    @Test(arguments: MySQLTestServer.all)
    func `no backup is made of what is the server's own`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            let own = "'mysql', 'sys', 'information_schema', 'performance_schema'"
            let names = try await server.query(
                "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (\(own))"
            ).split(separator: "\n").map(String.init)
            #expect(names.count == 4, "\(names)")
            for name in names {
                for verb in [["check"], ["full", "database"], ["differential", "backup"]] {
                    try await bench.dbtool(
                        verb + ["-path", bench.repository, "--database", name]
                    ).expect(
                        code: 2, saying: "\(name) is the server's own database",
                        "Name another one with --database.")
                }
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what a lost privilege hides is told while an earlier backup has it`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fillWithOneOfEach()
            let account = try await bench.source.createAccount("u", ["SELECT, SHOW VIEW ON {}.*"])
            let words = ["-path", bench.repository, "--database", bench.source.name]
            // Who never saw any goes on.
            let first = try await bench.backUp(as: account)
            #expect(first.report["status"].string == "completed")
            try await bench.source.query("CREATE TABLE plain (id int PRIMARY KEY)")
            let whole = try await bench.backUp()
            // One of some tables has no events and procedures, whoever makes it.
            _ = try await bench.backUp(["full", "tables", "-tablename", "plain"], as: account)
            for verb in [["differential", "backup"], ["full", "database"]] {
                try await bench.dbtool(verb + words, as: account).expect(
                    code: 3, saying: "the backup is incomplete: \(whole.id) has",
                    "trigger the_trigger", "event the_event", "procedure the_procedure",
                    "GRANT TRIGGER ON `\(bench.source.name)`.* TO '\(account)'@'%';")
            }
            // That full is what counts now.
            let later = try await bench.backUp(as: account)
            #expect(later.report["status"].string == "completed")
            try await server.query(
                (["TRIGGER", "EVENT"].map { "GRANT \($0) ON `\(bench.source.name)`.*" }
                    + ["GRANT \(server.routinePrivilege)"]).map { "\($0) TO '\(account)'@'%';" }
                    .joined(separator: "\n"))
            let mended = try await bench.backUp(as: account)
            #expect(mended.report["status"].string == "completed")
        }
    }

    private func definition(of backup: StoredBackup) throws -> String {
        try String(contentsOfFile: "\(backup.folder)/schema.sql", encoding: .utf8)
    }

    // MARK: Views

    @Test(arguments: MySQLTestServer.all)
    func `check names views that nobody can read, as a restore does`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let blind = try await bench.source.createAccount("blind", [])
            try await bench.source.query(
                """
                CREATE TABLE own (id int PRIMARY KEY, v int); CREATE TABLE gone (id int PRIMARY KEY);
                CREATE VIEW good AS SELECT id FROM own; CREATE VIEW broken AS SELECT id FROM gone;
                CREATE VIEW narrow AS SELECT v FROM own; CREATE VIEW upon AS SELECT id FROM broken;
                CREATE DEFINER = '\(blind)'@'%' VIEW unread AS SELECT id FROM own;
                DROP TABLE gone; ALTER TABLE own DROP COLUMN v
                """)
            let check = try await bench.check()
            check.expect(code: 0)
            #expect(check.severities("views") == ["warning"], "\(check.end)")
            #expect(
                check.text("views").hasPrefix(
                    "broken, narrow, unread, upon show what is not there, or may not be read"))
            let statement = "DROP VIEW `\(bench.source.name)`.`broken`;"
            #expect(check.fix(of: "views").contains { $0.hasSuffix(statement) }, "\(check.end)")

            _ = try await bench.backUp()
            let end = try await bench.restore(into: bench.other("copy"), ["--create"])
            try end.requireCode(3)
            for view in ["broken", "narrow", "upon"] {
                #expect(end.output.contains("not made: view \(view)"), "\(end)")
            }
            try await bench.source.query(
                """
                DROP VIEW broken, narrow, upon; GRANT SELECT ON \(bench.source.name).own TO '\(blind)'@'%'
                """)
            #expect(try await bench.check()["views"].isEmpty)
        }
    }

    // MARK: Tables

    @Test(arguments: MySQLTestServer.all)
    func `a table that nobody can open is named, and can be left out`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE good (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO good VALUES (1);
                CREATE TABLE gone (id int) ENGINE = MyISAM;
                CREATE TABLE shows (id int) ENGINE = MERGE UNION = (gone); DROP TABLE gone
                """)
            let check = try await bench.check()
            #expect(check.severities("tables") == ["problem"], "\(check.end)")
            #expect(check.text("tables").hasPrefix("the server does not say what makes shows: "))
            let words = ["-path", bench.repository, "--database", bench.source.name]
            try await bench.dbtool(["full", "database"] + words).expect(
                code: 1, saying: "the server does not say what makes table shows",
                "leave it out with --skip-unreadable")
            try await bench.dbtool(["full", "database"] + words + ["--skip-unreadable"])
                .requireCode(3)
        }
    }

    // MARK: One moment

    /// A way to one moment, as `check` foretells it and a backup has taken it.
    enum Way: String, CaseIterable {
        case position = "one position of the binary log"
        case stage = "BACKUP STAGE"
        case tables = "LOCK TABLES"
        case everything = "FLUSH TABLES WITH READ LOCK"
        case quietLog = "the binary log st"
        case alone = "one connection"
    }

    /// An account's privileges beside those to read, and what becomes of them on a server of its own.
    private struct Ability {
        let name: String
        let grants: [String]
        let way: Way
    }

    private static func abilities(_ server: MySQLTestServer, logs: Bool) -> [Ability] {
        let sees = server.isMariaDB ? "BINLOG MONITOR ON *.*" : "REPLICATION CLIENT ON *.*"
        if server.isMariaDB, logs {
            return [
                Ability(name: "none", grants: [], way: .alone),
                Ability(name: "sees", grants: [sees], way: .position),
                Ability(name: "lock", grants: ["LOCK TABLES ON {}.*"], way: .tables),
            ]
        }
        let common = [
            Ability(name: "none", grants: [], way: .alone),
            Ability(name: "sees", grants: [sees], way: logs ? .quietLog : .alone),
            Ability(name: "lock", grants: ["LOCK TABLES ON {}.*"], way: .tables),
            Ability(
                name: "reload", grants: ["RELOAD ON *.*"],
                way: server.isMariaDB ? .stage : .everything),
            Ability(
                name: "both", grants: ["RELOAD ON *.*", "LOCK TABLES ON {}.*"],
                way: server.isMariaDB ? .stage : .tables),
        ]
        let flush = Ability(name: "flush", grants: ["FLUSH_TABLES ON *.*"], way: .everything)
        return server.isMariaDB ? common : common + [flush]
    }

    @Test(arguments: MySQLTestServer.all, [true, false])
    func `check names the way to one moment that a backup then takes`(
        server: MySQLTestServer, logs: Bool
    ) async throws {
        let none = server.isMariaDB ? [] : ["skip_log_bin=1"]
        let tells = server.isMariaDB ? [] : ["gtid_mode=ON", "enforce_gtid_consistency=ON"]
        let settings = logs ? ["log_bin=1", "server_id=7"] + tells : none
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO t VALUES (1)")
            for ability in Self.abilities(server, logs: logs) {
                let account = try await bench.source.createAccount(
                    ability.name, ["SELECT, SHOW VIEW, TRIGGER, EVENT ON {}.*"] + ability.grants)
                try await expectWay(.alone, jobs: 1, as: account, bench)
                let check = try await expectWay(ability.way, jobs: 2, as: account, bench)
                let better = check.fix(of: "one moment").joined(separator: "\n")
                // Only where several connections cannot be counted on.
                let isDoubtful = ability.way == .alone || ability.way == .quietLog
                let statement = "GRANT LOCK TABLES ON `\(bench.source.name)`.* TO '\(account)'@'%';"
                #expect(better.hasPrefix(statement) == isDoubtful, "\(ability.name): \(better)")
                // What it would find the moment by, without a lock; MySQL locks first.
                let monitors =
                    logs
                    && (server.isMariaDB ? ability.way != .position : ability.name == "none")
                let privilege = server.isMariaDB ? "BINLOG MONITOR" : "REPLICATION CLIENT"
                let monitor = "GRANT \(privilege) ON *.* TO '\(account)'@'%';"
                #expect(better.contains(monitor) == monitors, "\(ability.name): \(better)")
                guard isDoubtful else { continue }
                try await bench.server.query(statement)
                let mended = try await expectWay(.tables, jobs: 2, as: account, bench)
                let isBest = !monitors || !server.isMariaDB
                #expect(
                    mended.severities("one moment") == [isBest ? "ok" : "note"], "\(mended.end)")
                guard !isBest else { continue }
                try await bench.server.query(monitor)
                let best = try await expectWay(.position, jobs: 2, as: account, bench)
                #expect(best.severities("one moment") == ["ok"], "\(best.end)")
            }
        }
    }

    /// Backs up after a check; both must name that way.
    @discardableResult
    private func expectWay(
        _ way: Way, jobs: Int, as account: String, _ bench: MySQLBench,
        location: SourceLocation = #_sourceLocation
    ) async throws -> Checked {
        let words = ["--jobs", "\(jobs)"]
        let check = try await bench.check(words, as: account)
        let backup = try await bench.backUp(["full", "database"], words, as: account)
        let (text, taken) = (
            check.text("one moment"), backup.report["consistency"].string ?? ""
        )
        let named = Way.allCases.filter { taken.contains($0.rawValue) }
        #expect(named == [way], "\(account): \(taken)", sourceLocation: location)
        #expect(text.contains(way.rawValue), "\(text), and then \(taken)", sourceLocation: location)
        return check
    }

    /// As MySQL 8 is without further settings: its log numbers no transactions, and nothing tells a moment by it.
    @Test(arguments: MySQLTestServer.all)
    func `check counts on no log that a backup does not count on`(
        server: MySQLTestServer
    ) async throws {
        let numbersNone = ["gtid_mode=OFF", "enforce_gtid_consistency=OFF"]
        let settings = server.isMariaDB ? [] : ["log_bin=1", "server_id=7"] + numbersNone
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO t VALUES (1)")
            let account = try await bench.source.createAccount(
                "reader", ["SELECT, SHOW VIEW, TRIGGER, EVENT ON {}.*"])
            let check = try await expectWay(.alone, jobs: 2, as: account, bench)
            #expect(!check.text("one moment").contains("log"), "\(check.end)")
            let statement = "GRANT LOCK TABLES ON `\(bench.source.name)`.* TO '\(account)'@'%';"
            let fix = check.fix(of: "one moment")
            #expect(fix.count == 1 && fix.first?.hasPrefix(statement) == true, "\(check.end)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a backup that one connection reads names what would let several`(
        server: MySQLTestServer
    ) async throws {
        let numbers = server.isMariaDB ? [] : ["gtid_mode=ON", "enforce_gtid_consistency=ON"]
        try await MySQLBench.withOwnServer(like: server, ["log_bin=1", "server_id=7"] + numbers) {
            bench, _ in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO t VALUES (1)")
            let account = try await bench.source.createAccount("reader", ["SELECT ON {}.*"])
            let words = ["-path", bench.repository, "--database", bench.source.name]
            let privilege = server.isMariaDB ? "BINLOG MONITOR" : "REPLICATION CLIENT"
            try await bench.dbtool(["full", "database", "--jobs", "2"] + words, as: account).expect(
                code: 0, saying: "one connection reads instead of 2",
                "GRANT LOCK TABLES ON", "GRANT \(privilege) ON *.* TO '\(account)'@'%';")
            let alone = try await bench.dbtool(
                ["full", "database", "--jobs", "1"] + words, as: account)
            #expect(alone.code == 0 && !alone.errors.contains("one connection reads"), "\(alone)")
        }
    }

    /// What happens in databases that it leaves out does not move it.
    @Test(arguments: MySQLTestServer.all)
    func `check does not count on a log that leaves databases out`(
        server: MySQLTestServer
    ) async throws {
        let settings = ["log_bin=1", "server_id=7", "binlog_do_db=elsewhere"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO t VALUES (1)")
            let sees = server.isMariaDB ? "BINLOG MONITOR" : "REPLICATION CLIENT"
            let account = try await bench.source.createAccount(
                "reader", ["SELECT, SHOW VIEW, TRIGGER, EVENT ON {}.*", "\(sees) ON *.*"])
            let check = try await expectWay(.alone, jobs: 2, as: account, bench)
            #expect(!check.text("one moment").contains("log"), "\(check.end)")
            #expect(check.severities("one moment") == ["note"], "\(check.end)")
        }
    }
}
