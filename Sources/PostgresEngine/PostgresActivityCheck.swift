import BackupCore

/// What others do on the server that a backup would wait for, or that holds back its vacuum.
struct PostgresActivityCheck {
    let scope: PostgresScope
    let server: PostgresServer
    let connection: PostgresConnection

    typealias LockedTable = (oid: String, table: TableName, peer: PostgresPeer)

    func lockedTables() async throws -> [LockedTable] {
        try await PostgresLocks(connection: connection).exclusive(on: scope.inScope.map(\.oid))
    }

    func findings(_ locked: [LockedTable]) async throws -> [Finding] {
        var findings = locked.prefix(20).map { table in
            Finding(
                .activity, "locked now", .warning,
                "a backup would wait for \(table.table), which is held or wanted by "
                    + table.peer.description,
                fix: ["-- \(table.peer.remedy)"])
        }
        if locked.isEmpty {
            findings.append(
                Finding(.activity, "locked now", .ok, "no table is held exclusively"))
        }
        findings += try await transactions()
        findings += try await preparedTransactions()
        findings += try await slots()
        return findings + [try await hiddenSessions()].compactMap(\.self)
    }

    // MARK: What holds back vacuum

    /// Ten seconds are long for a transaction; ten minutes let dead rows pile up.
    private func transactions() async throws -> [Finding] {
        let rows = try await connection.rows(
            """
            SELECT extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::bigint,
                   \(PostgresPeer.columns)
            FROM pg_catalog.pg_stat_activity a
            WHERE a.xact_start < pg_catalog.clock_timestamp() - interval '10 seconds'
              AND a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
              AND a.datname = pg_catalog.current_database()
            ORDER BY a.xact_start LIMIT 20
            """)
        return rows.map { row in
            let seconds = row[0].flatMap { Int($0) } ?? 0
            let peer = PostgresPeer(row: row[1...])
            return finding("long transaction", seconds, peer, "is open")
        }
    }

    private func preparedTransactions() async throws -> [Finding] {
        let rows = try await connection.rows(
            """
            SELECT extract(epoch FROM pg_catalog.clock_timestamp() - prepared)::bigint, gid, owner
            FROM pg_catalog.pg_prepared_xacts
            WHERE prepared < pg_catalog.clock_timestamp() - interval '10 seconds'
              AND database = pg_catalog.current_database()
            ORDER BY prepared LIMIT 20
            """)
        return rows.map { row in
            let peer = PostgresPeer(gid: row[1] ?? "", owner: row[2])
            return finding("prepared", row[0].flatMap { Int($0) } ?? 0, peer, "waits")
        }
    }

    private func finding(
        _ subject: String, _ seconds: Int, _ peer: PostgresPeer, _ verb: String
    ) -> Finding {
        let isOld = seconds >= 600
        let age = isOld ? "\(seconds / 60) min" : "\(seconds) s"
        return Finding(
            .activity, subject, isOld ? .warning : .note,
            "\(verb) for \(age) and holds back vacuum: \(peer.description)",
            fix: isOld ? ["-- \(peer.remedy)"] : [])
    }

    /// - SeeAlso: <https://www.postgresql.org/docs/current/view-pg-replication-slots.html>
    private func slots() async throws -> [Finding] {
        let rows = try await connection.rows(
            """
            SELECT slot_name, active,
                   greatest(pg_catalog.age(xmin), pg_catalog.age(catalog_xmin))
            FROM pg_catalog.pg_replication_slots
            WHERE (NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL))
               OR greatest(pg_catalog.age(xmin), pg_catalog.age(catalog_xmin)) > 10000000
            ORDER BY slot_name
            """)
        return rows.map { row in
            let name = row[0] ?? ""
            let use = row[1] == "t" ? "is behind" : "is used by nobody"
            return Finding(
                .activity, "replication slot", .warning,
                "slot \(name) \(use) and holds back vacuum by \(row[2] ?? "?") transactions",
                fix: [
                    "-- if nobody needs it: SELECT pg_drop_replication_slot("
                        + "\(SQLText.literal(name)));"
                ])
        }
    }

    private func hiddenSessions() async throws -> Finding? {
        let mayMonitor = try await connection.value(
            "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')")
        guard mayMonitor != "t" else { return nil }
        return Finding(
            .activity, "other roles", .note,
            "what they do is hidden from role \(server.user), and is not named when in the way",
            fix: ["GRANT pg_monitor TO \(SQLText.identifier(server.user));"])
    }
}
