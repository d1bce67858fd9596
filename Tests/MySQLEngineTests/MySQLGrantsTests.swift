import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

@Suite struct MySQLGrantsTests {
    @Test func `grants are read as both products write them`() {
        let grants = MySQLGrants([
            "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*X'",
            "GRANT SELECT, LOCK TABLES, SHOW VIEW ON `my\\_db`.* TO `u`@`%`",
            "GRANT SELECT ON `team%`.* TO `u`@`%`",
            "GRANT SELECT (`a`, `b`), INSERT ON `one`.`t` TO `u`@`%`",
            "GRANT SELECT ON `one`.`od``d` TO `u`@`%`",
            "GRANT EXECUTE ON PROCEDURE `one`.`p` TO `u`@`%`", "GRANT `role`@`%` TO `u`@`%`",
            "GRANT BACKUP_ADMIN,SHOW_ROUTINE ON *.* TO `u`@`%`",
        ])
        #expect(grants.holds("SELECT", on: "my_db") && grants.holds("LOCK TABLES", on: "my_db"))
        #expect(!grants.holds("SELECT", on: "myxdb") && !grants.holds("TRIGGER", on: "my_db"))
        #expect(grants.holds("SELECT", on: "team_a") && !grants.holds("SELECT", on: "tea"))
        #expect(!grants.holds("SELECT", on: "one", table: "t"))
        #expect(grants.holdsInPart("SELECT", on: "one", table: "t"))
        #expect(!grants.holdsInPart("INSERT", on: "one", table: "t"))
        #expect(!grants.holdsInPart("SELECT", on: "my_db", table: "t"))
        #expect(grants.holds("INSERT", on: "one", table: "t"))
        #expect(grants.holds("SELECT", on: "one", table: "od`d"))
        #expect(!grants.holds("SELECT", on: "one"))
        #expect(grants.holdsGlobally("SHOW_ROUTINE") && !grants.holdsGlobally("SELECT"))
    }

    @Test func `where privileges can be revoked in part, databases stand by their names`() {
        let line = "GRANT SELECT ON `shop_`.* TO `u`@`%`"
        #expect(MySQLGrants([line]).holds("SELECT", on: "shopA"))
        let literal = MySQLGrants([line], isLiteral: true)
        #expect(literal.holds("SELECT", on: "shop_") && !literal.holds("SELECT", on: "shopA"))
    }

    /// `lower_case_table_names` is not 0: grants have small letters there, whatever was asked for.
    @Test func `where case tells no names apart, it tells no grants apart either`() {
        let lines = [
            "GRANT SELECT ON `shop`.* TO `u`@`%`",
            "GRANT REFERENCES ON `Crm`.`Customer` TO `u`@`%`",
        ]
        let exact = MySQLGrants(lines)
        #expect(!exact.holds("SELECT", on: "Shop"))
        let caseless = MySQLGrants(lines, isCaseless: true)
        #expect(caseless.holds("SELECT", on: "Shop"))
        #expect(caseless.holds("REFERENCES", on: "CRM", table: "customer"))
        #expect(caseless.open("crm") && !caseless.open("other"))
    }

    /// What an account does not need to be let into a database.
    @Test func `what lets an account in is told`() {
        let grants = MySQLGrants([
            "GRANT USAGE ON *.* TO `u`@`localhost`", "GRANT PROCESS ON *.* TO `u`@`localhost`",
            "GRANT SELECT ON `shop`.* TO `u`@`localhost`",
            "GRANT SELECT ON `crm`.`t` TO `u`@`localhost`",
        ])
        #expect(grants.open("shop") && grants.open("crm") && !grants.open("other"))
        #expect(MySQLGrants(["GRANT SELECT ON *.* TO `u`@`%`"]).open("other"))
    }

    /// A sign that stands for any other would open other databases too.
    @Test func `a statement that grants names one database, and is understood again`() {
        let place = MySQLGrants(["GRANT SELECT ON `my_app`.`t` TO `u`@`%`"]).place(of: "my_app")
        #expect(place == "`my\\_app`.*")
        let granted = MySQLGrants(["GRANT SELECT ON \(place) TO `u`@`%`"])
        #expect(granted.holds("SELECT", on: "my_app") && !granted.holds("SELECT", on: "myXapp"))
        #expect(granted.place(of: "my_app") == place)
        let odd = MySQLGrants([]).place(of: #"a\b%`"#)
        #expect(odd == #"`a\\b\%```.*"#)
        let grantsOdd = MySQLGrants(["GRANT SELECT ON \(odd) TO `u`@`%`"])
        #expect(grantsOdd.holds("SELECT", on: #"a\b%`"#))
        #expect(!grantsOdd.holds("SELECT", on: #"a\bc`"#))
        // Closer than one that is there, it would take that one's privileges away.
        let plain = MySQLGrants(["GRANT SELECT ON `my_app`.* TO `u`@`%`"])
        #expect(plain.place(of: "my_app") == "`my_app`.*")
        #expect(MySQLGrants([], isLiteral: true).place(of: "my_app") == "`my_app`.*")
        // Beside one that is closer it would give nothing.
        let both = MySQLGrants([
            "GRANT SELECT ON `my_app`.* TO `u`@`%`", "GRANT SELECT ON \(place) TO `u`@`%`",
        ])
        #expect(both.place(of: "my_app") == place)
    }

    /// The next drill's database has another name.
    @Test func `a statement that grants for a drill names the databases of all`() {
        let place = MySQLGrants([]).place(ofDrill: "dbtool_drill_1a2b")
        #expect(place == #"`dbtool\_drill\_%`.*"#)
        let granted = MySQLGrants(["GRANT CREATE ON \(place) TO `u`@`%`"])
        #expect(granted.holds("CREATE", on: "dbtool_drill_ce3a"))
        #expect(!granted.holds("CREATE", on: "dbtoolxdrill_ce3a"))
        #expect(granted.place(ofDrill: "dbtool_drill_1a2b") == place)
        // Beside a pattern that is closer, or less close, another would give nothing, or take away.
        let own = MySQLGrants(["GRANT CREATE ON `dbtool_drill_%`.* TO `u`@`%`"])
        #expect(own.place(ofDrill: "dbtool_drill_1a2b") == "`dbtool_drill_%`.*")
        #expect(MySQLGrants([], isLiteral: true).place(ofDrill: "dbtool_drill_1a2b") == "*.*")
    }

    @Test func `what an account does not see is missed where it may be there still`() {
        func object(_ kind: MySQLObject.Kind, _ name: String, _ statement: String) -> MySQLObject {
            MySQLObject(kind: kind, name: name, statement: statement)
        }
        func trigger(_ name: String, of table: String) -> MySQLObject {
            object(
                .trigger, name,
                "CREATE TRIGGER `\(name)` BEFORE INSERT ON `\(table)` FOR EACH ROW SET @a = 1")
        }
        let table = object(.table, "t", "CREATE TABLE `t` (`id` int)")
        let event = object(.event, "e", "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1")
        let earlier = [
            table, trigger("hidden", of: "t"), trigger("seen", of: "t"), trigger("gone", of: "u"),
            event,
        ]
        let own = [table, trigger("seen", of: "t")]
        let blindness = MySQLBlindness(kinds: [.trigger], remedy: "GRANT TRIGGER;")
        let unseen = blindness.unseen(of: earlier, having: own)
        #expect(unseen.map(\.name) == ["hidden"])
        #expect(blindness.words(of: unseen) == "trigger hidden; GRANT TRIGGER;")
        #expect(blindness.words(of: blindness.unseen(of: own, having: own)) == nil)
        let nothing = MySQLBlindness(kinds: [], remedy: "")
        #expect(nothing.unseen(of: earlier, having: []).isEmpty)
    }

    /// Grants on databases that fit one, and which of them count.
    struct Choice: Sendable {
        let patterns: [String]
        let database: String
        let mariaDB: [String]
        let mySQL: [String]
        let mySQLWithRoles: [String]
    }

    /// As MySQL 9.7 and MariaDB 10.11 do it.
    static let choices = [
        Choice(
            patterns: ["g%", "gdb"], database: "gdb", mariaDB: ["gdb"], mySQL: ["gdb"],
            mySQLWithRoles: ["gdb"]),
        Choice(
            patterns: ["gd%", "g%"], database: "gdb", mariaDB: ["gd%", "g%"], mySQL: ["gd%"],
            mySQLWithRoles: ["g%"]),
        Choice(
            patterns: ["g%", "gd_", "g_b", "%"], database: "gdb",
            mariaDB: ["g%", "gd_", "g_b", "%"], mySQL: ["gd_"], mySQLWithRoles: ["%"]),
        Choice(
            patterns: ["my_app", #"my\_app"#], database: "my_app", mariaDB: [#"my\_app"#],
            mySQL: [#"my\_app"#], mySQLWithRoles: [#"my\_app"#]),
        Choice(
            patterns: ["my%", "my_app"], database: "my_app", mariaDB: ["my_app"],
            mySQL: ["my%", "my_app"], mySQLWithRoles: ["my%"]),
        Choice(
            patterns: ["my_app", #"my\_a%"#], database: "my_app", mariaDB: ["my_app"],
            mySQL: [#"my\_a%"#], mySQLWithRoles: [#"my\_a%"#]),
        Choice(
            patterns: [#"my\_app"#, "m%"], database: "my_app", mariaDB: [#"my\_app"#],
            mySQL: [#"my\_app"#], mySQLWithRoles: ["m%"]),
        Choice(patterns: [], database: "my_app", mariaDB: [], mySQL: [], mySQLWithRoles: []),
    ]

    @Test(arguments: choices)
    func `of several grants that fit a database the closest is heeded`(choice: Choice) {
        func heeded(_ precedence: MySQLGrantPrecedence) -> [String] {
            precedence.heeded(among: choice.patterns, for: choice.database)
        }
        #expect(heeded(.mariaDB) == choice.mariaDB)
        #expect(heeded(.mySQL) == choice.mySQL)
        #expect(heeded(.mySQLWithRoles) == choice.mySQLWithRoles)
    }

    @Test func `what a grant gives that is not heeded is not held`() {
        let all = "GRANT SELECT, TRIGGER, EVENT ON `g%`.* TO `u`@`%`"
        let one = "GRANT SELECT ON `gdb`.* TO `u`@`%`"
        let grants = MySQLGrants([all, one])
        #expect(grants.holds("SELECT", on: "gdb") && !grants.holds("TRIGGER", on: "gdb"))
        #expect(grants.holds("TRIGGER", on: "gother"))
        // What is granted on the server or a table is added.
        let more = MySQLGrants([
            all, one, "GRANT EVENT ON *.* TO `u`@`%`", "GRANT TRIGGER ON `gdb`.`t` TO `u`@`%`",
        ])
        #expect(more.holds("EVENT", on: "gdb") && !more.holds("TRIGGER", on: "gdb"))
        #expect(more.holds("TRIGGER", on: "gdb", table: "t"))
        // So is what a role of MariaDB, or everybody, has.
        let role = MySQLGrants(of: [[one], [all], []], .mariaDB)
        #expect(role.holds("TRIGGER", on: "gdb") && role.place(of: "gdb") == "`gdb`.*")
    }

    @Test(arguments: MySQLTestServer.all, [false, true])
    func `what is taken for held the server lets be done`(
        server: MySQLTestServer, byRole: Bool
    ) async throws {
        try await server.withDatabase { database in
            try await database.query("CREATE TABLE t (id int)")
            let name = database.name
            let patterns = ["\(name)%", name, name.replacing("_", with: #"\_"#), "%"]
            let pairs = patterns.flatMap { one in
                patterns.filter { $0 != one }.map { (one, $0) }
            }
            var held = 0
            for (number, pair) in pairs.enumerated() {
                let first = "SELECT ON `\(pair.0)`.*"
                let second = "SELECT, INSERT ON `\(pair.1)`.*"
                let account = try await database.createAccount(
                    "\(number)", byRole ? [first] : [first, second])
                if byRole {
                    let role = try await database.createRole("r\(number)", [second], of: account)
                    try await server.setDefaultRole(role, of: account)
                }
                let connection = try await database.connection(as: account)
                let product = try await MySQLServer(connection)
                let holds = try await MySQLGrants(connection, on: product)
                    .holds("INSERT", on: name)
                let isLet = (try? await connection.execute("INSERT INTO t VALUES (1)")) != nil
                #expect(!holds || isLet, "\(pair)")
                if holds { held += 1 }
            }
            #expect(held > 0)
        }
    }

    /// The grant on the database is closer, and gives neither.
    @Test(arguments: MySQLTestServer.all)
    func `triggers and events that only a grant on many databases would show are missing`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query("CREATE TABLE t (id int PRIMARY KEY)")
            try await database.query(
                "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 1")
            let name = database.name.replacing("_", with: #"\_"#)
            let account = try await database.createAccount(
                "u",
                [
                    "SELECT, SHOW VIEW, LOCK TABLES, TRIGGER, EVENT ON `\(name)%`.*",
                    "SELECT, SHOW VIEW ON `\(name)`.*",
                ])
            let engine = MySQLEngine(database.settings(as: account))
            let check = try await engine.check(SnapshotRequest(scope: .database))
            let found = try #require(check.findings.first { $0.subject == "privileges" })
            #expect(found.severity == .warning)
            for things in ["triggers", "events"] {
                #expect(found.text.contains("may not see \(things)"), "\(found)")
            }
            for statement in found.fix where !statement.contains("proc") {
                try await server.query(statement)
            }
            let connection = try await database.connection(as: account)
            let shown = try await connection.value(
                "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME = 'r'")
            #expect(shown == "1")
            let later = try await engine.check(SnapshotRequest(scope: .database))
            let rest = later.findings.first { $0.subject == "privileges" }
            #expect(!(rest?.text.contains("triggers") ?? true), "\(later.findings)")
        }
    }

    @Test func `the privilege that shows routines is one that the server has`() {
        #expect(MySQLPrivileges.routinePrivilege(.mysql, 80019) == "SELECT ON *.*")
        #expect(MySQLPrivileges.routinePrivilege(.percona, 80020) == "SHOW_ROUTINE ON *.*")
        #expect(MySQLPrivileges.routinePrivilege(.mariaDB, 101119) == "SELECT ON `mysql`.`proc`")
    }

    @Test func `what is revoked from a database is not held there`() {
        let grants = MySQLGrants([
            "GRANT SELECT, RELOAD ON *.* TO `u`@`%`", "REVOKE SELECT ON `secret`.* FROM `u`@`%`",
        ])
        #expect(grants.holds("SELECT", on: "open") && !grants.holds("SELECT", on: "secret"))
        #expect(MySQLGrants(["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`"]).holds("EVENT", on: "x"))
    }

    @Test(arguments: MySQLTestServer.all)
    func `a backup that would silently be smaller is refused, with the statement that helps`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
            let user = try await database.createAccount("u", ["SELECT ON {}.a"])
            let engine = MySQLEngine(database.settings(as: user))
            let check = try await engine.check(SnapshotRequest(scope: .database))
            let problems = check.findings.filter { $0.severity == .problem }
            #expect(problems.map(\.subject) == ["privileges"])
            #expect(
                problems.first?.fix.first
                    == "GRANT SELECT ON `\(database.name.replacing("_", with: "\\_"))`.* TO '\(user)'@'%';"
            )
            let error = await #expect(throws: BackupError.self) {
                try await engine.withSnapshot(of: SnapshotRequest(scope: .database)) { _ in }
            }
            #expect(error?.code == .permissionDenied)
            for statement in problems.flatMap(\.fix) where !statement.contains("proc") {
                try await server.query(statement)
            }
            try await engine.withSnapshot(of: SnapshotRequest(scope: .database)) { snapshot in
                #expect(snapshot.schema.tables.count == 2)
            }
        }
    }
}
