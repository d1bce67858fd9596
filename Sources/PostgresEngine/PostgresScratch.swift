import BackupCore

/// Databases that are made to be dropped: `dbtool_drill_1a2b`.
///
/// Each is claimed by a lock of the session that made it, so that one whose maker was killed can be
/// told from one that is in use.
struct PostgresScratch {
    /// What the database's comment says: nothing without it is dropped, unless it is empty.
    static let comment = "scratch database of dbtool: dropped when its drill ends"
    private static let prefix = "dbtool_drill_"
    /// The first number of the locks; the second is the database's own.
    private static let lock = 1_146_242_896

    private let settings: PostgresSettings
    private let administration: PostgresConnection

    init(_ settings: PostgresSettings, administration: PostgresConnection) {
        self.settings = settings
        self.administration = administration
    }

    /// A name that is free and claimed.
    func claimedName() async throws -> String {
        while true {
            let number = UInt16.random(in: 0...UInt16.max)
            let digits = String(number, radix: 16)
            let name = Self.prefix + String(repeating: "0", count: 4 - digits.count) + digits
            guard try await claim(name), try await !exists(name) else { continue }
            return name
        }
    }

    /// Drops the databases that killed runs have left.
    func dropLeftovers() async throws {
        let names = try await administration.rows(
            """
            SELECT d.datname, pg_catalog.shobj_description(d.oid, 'pg_database') = $1
            FROM pg_catalog.pg_database d
            WHERE d.datname ~ '^\(Self.prefix)[0-9a-f]{4}$'
              AND pg_catalog.pg_has_role(d.datdba, 'USAGE')
            """, [Self.comment])
        for row in names {
            guard let name = row[0], try await claim(name) else { continue }
            if row[1] == "t" {
                try await drop(name)
            } else if row[1] == nil, try await isEmpty(name) {
                try await drop(name)
            }
        }
    }

    /// Drops a database, whoever is connected to it.
    ///
    /// - Throws: `BackupError` that names it.
    func drop(_ name: String) async throws {
        let statement = "DROP DATABASE IF EXISTS \(SQLText.identifier(name))"
        do {
            do {
                try await administration.execute("\(statement) WITH (FORCE)")
            } catch let error as PostgresError where error.isLackOfPrivilege {
                // By force an autovacuum worker counts as a superuser's session. Without it the server ends such workers
                // for whoever owns the database.
                try await administration.execute(statement)
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot drop scratch database \(name)")
        }
    }

    private func exists(_ name: String) async throws -> Bool {
        try await administration.value(
            "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", [name]) != nil
    }

    private func claim(_ name: String) async throws -> Bool {
        let number = Int(name.dropFirst(Self.prefix.count), radix: 16) ?? 0
        let isMine = try await administration.value(
            "SELECT pg_catalog.pg_try_advisory_lock(\(Self.lock), \(number))")
        guard isMine == "t" else { return false }
        // Such a lock is one of a database: another drill's session may lie in another.
        let other = try await administration.value(
            """
            SELECT 1 FROM pg_catalog.pg_locks
            WHERE locktype = 'advisory' AND classid = \(Self.lock) AND objid = \(number)
              AND objsubid = 2 AND granted AND pid <> pg_catalog.pg_backend_pid() LIMIT 1
            """)
        guard other != nil else { return true }
        _ = try await administration.value(
            "SELECT pg_catalog.pg_advisory_unlock(\(Self.lock), \(number))")
        return false
    }

    /// Killed between creation and comment.
    private func isEmpty(_ name: String) async throws -> Bool {
        var own = settings
        own.database = name
        let count = try await PostgresConnection(own).value(
            """
            SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            """)
        return count == "0"
    }
}
