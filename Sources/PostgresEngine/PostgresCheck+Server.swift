import BackupCore
import Foundation

extension PostgresCheck {
    /// The newest major version that this program was tested with.
    private static let newestMajor = 18

    /// The server, the programs that fit it, and what its settings do to a backup.
    func serverFindings(
        _ server: PostgresServer, _ connection: PostgresConnection
    ) async throws -> [Finding] {
        var findings = [version(server), await programs(for: server)]
        findings += try await timeouts(server, connection)
        if server.isStandby { findings.append(try await standby(connection)) }
        return findings
    }

    private func version(_ server: PostgresServer) -> Finding {
        let isNew = server.major > Self.newestMajor
        let words = "PostgreSQL \(server.version)"
        return Finding(
            .server, "version", isNew ? .note : .ok,
            isNew ? "\(words) is newer than any that this version of dbtool was tested with" : words
        )
    }

    private func programs(for server: PostgresServer) async -> Finding {
        do {
            let found = try await PostgresPrograms.find(
                atLeast: server.major, named: settings.pgDump)
            guard FileManager.default.isExecutableFile(atPath: found.restore) else {
                return Finding(
                    .server, "pg_dump", .problem, "there is no pg_restore beside \(found.dump)",
                    fix: ["-- install postgresql-client-\(server.major)"])
            }
            return Finding(
                .server, "pg_dump", .ok,
                "\(found.dump) (version \(found.major)), pg_restore beside it")
        } catch {
            let error = error as? BackupError
            return Finding(
                .server, "pg_dump", .problem, error?.message ?? "\(String(describing: error))",
                fix: error?.hint.map { ["-- \($0)"] } ?? [])
        }
    }

    /// Timeouts are switched off first of all; one of milliseconds can be faster than that.
    private func timeouts(
        _ server: PostgresServer, _ connection: PostgresConnection
    ) async throws -> [Finding] {
        let rows = try await connection.rows(
            """
            SELECT name, reset_val FROM pg_catalog.pg_settings
            WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_session_timeout',
                           'idle_in_transaction_session_timeout')
              AND reset_val::integer BETWEEN 1 AND 999
            ORDER BY name
            """)
        let database = try await connection.value("SELECT pg_catalog.current_database()") ?? ""
        return rows.map { row in
            let name = row[0] ?? ""
            return Finding(
                .server, "timeouts", .warning,
                "\(name) is \(row[1] ?? "") ms: a session may end before it can switch that off",
                fix: [
                    "ALTER ROLE \(SQLText.identifier(server.user)) IN DATABASE "
                        + "\(SQLText.identifier(database)) SET \(name) = 0;"
                ])
        }
    }

    /// - SeeAlso: <https://www.postgresql.org/docs/current/hot-standby.html>
    private func standby(_ connection: PostgresConnection) async throws -> Finding {
        let row =
            try await connection.rows(
                """
                SELECT pg_catalog.current_setting('hot_standby_feedback'),
                       pg_catalog.current_setting('max_standby_streaming_delay')
                """
            ).first ?? []
        let (feedback, delay) = (row[0] ?? "", row[1] ?? "")
        let words = "this is one: the snapshot is as old as its replay"
        guard feedback == "off", delay != "-1" else {
            return Finding(.server, "standby", .note, words)
        }
        return Finding(
            .server, "standby", .warning,
            "\(words), and a backup that is in the way of it for \(delay) can be cancelled",
            fix: [
                "-- on the standby, as a superuser:",
                "ALTER SYSTEM SET hot_standby_feedback = on;", "SELECT pg_reload_conf();",
            ])
    }
}
