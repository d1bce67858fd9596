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
