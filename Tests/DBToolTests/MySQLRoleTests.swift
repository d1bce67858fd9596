import BackupTesting
import Foundation
import Testing

/// Accounts of MySQL and MariaDB whose privileges are those of a role: it counts where it is active.
@Suite struct MySQLRoleTests {
    @Test(arguments: MySQLTestServer.all)
    func `an account with a default role backs up everything`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fillWithOneOfEach()
            let account = try await bench.source.createAccount("u", [])
            let role = try await bench.source.createRole(
                "back-up", server.backupPrivileges, of: account)
            try await server.setDefaultRole(role, of: account)
            let check = try await bench.check(as: account)
            check.expect(code: 0)
            #expect(check.severities("privileges") == ["ok"], "\(check.end)")
            let backup = try await bench.backUp(as: account)
            #expect(backup.report["warnings"].items == [])
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a role that was given and is not active lets nobody in, and what is needed is named`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fillWithOneOfEach()
            let account = try await bench.source.createAccount("u", [])
            let role = try await bench.source.createRole(
                "back-up", server.backupPrivileges, of: account)
            let place = ["-path", bench.repository, "--database", bench.source.name]
            for words in [["full", "database"], ["check"]] {
                let end = try await bench.dbtool(words + place, as: account)
                #expect(end.code == 5, "\(end)")
                // A sign that stands for any other would open other databases too.
                let name = bench.source.name.replacing("_", with: "\\_")
                let grant = "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON `\(name)`.*"
                #expect((end.output + end.errors).contains(grant), "\(end)")
            }
            try await server.setDefaultRole(role, of: account)
            _ = try await bench.backUp(as: account)
            try await server.setDefaultRole(nil, of: account)
            try await bench.dbtool(["full", "database"] + place, as: account).expect(code: 5)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what only a role that is not active would show is missing, until it is the default`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fillWithOneOfEach()
            let account = try await bench.source.createAccount("u", ["SELECT ON {}.*"])
            let more = ["SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON {}.*", server.routinePrivilege]
            let role = try await bench.source.createRole("more", more, of: account)
            let check = try await bench.check(as: account)
            check.expect(code: 1)
            let place = "`\(bench.source.name)`.*"
            let lacks = ["SHOW VIEW", "TRIGGER", "EVENT"].map { "\($0) ON \(place)" }
            let grants = (lacks + [server.routinePrivilege]).map {
                "GRANT \($0) TO '\(account)'@'%';"
            }
            #expect(check.fix(of: "privileges") == grants, "\(check.end)")
            try await bench.dbtool(
                [
                    "full", "database", "-path", bench.repository, "--database", bench.source.name,
                ], as: account
            ).expect(code: 1, saying: "may not see what makes view the_view", grants[0])
            try await server.setDefaultRole(role, of: account)
            let second = try await bench.check(as: account)
            second.expect(code: 0)
            #expect(second.severities("privileges") == ["ok"], "\(second.end)")
            let backup = try await bench.backUp(as: account)
            #expect(backup.report["warnings"].items == [])
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(bench.source, copy)
        }
    }
}
