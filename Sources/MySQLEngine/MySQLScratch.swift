import BackupCore

/// Databases that are made to be dropped: `dbtool_drill_1a2b`.
///
/// Each is claimed by a lock of the session that made it, so that one whose maker was killed can be told
/// from one that is in use; and it is one of ours only while it is empty, or a restore has marked it. Where the server
/// refuses such locks, as some nodes of clusters do, nobody can tell: none is dropped but by its maker.
struct MySQLScratch {
    private static let prefix = "dbtool_drill_"
    /// Their names, as grants have them: each drill has another.
    static let pattern = #"dbtool\_drill\_%"#

    let administration: MySQLConnection

    /// A name that is free and claimed.
    func claimedName() async throws -> String {
        while true {
            let digits = String(UInt16.random(in: 0...UInt16.max), radix: 16)
            let name = Self.prefix + String(repeating: "0", count: 4 - digits.count) + digits
            let exists =
                try await administration.value(
                    "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '\(name)'")
                != nil
            guard !exists, try await claim(name) ?? true else { continue }
            return name
        }
    }

    /// Drops the databases that killed runs have left.
    func dropLeftovers() async throws {
        let rows = try await administration.rows(
            """
            SELECT s.SCHEMA_NAME, COUNT(t.TABLE_NAME), MAX(t.TABLE_NAME = '\(MySQLRestoreMark.table)')
            FROM information_schema.SCHEMATA s
            LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME
            WHERE s.SCHEMA_NAME REGEXP '^\(Self.prefix)[0-9a-f]{4}$' GROUP BY s.SCHEMA_NAME
            """)
        for row in rows {
            guard let name = row[0], row[1] == "0" || row[2] == "1",
                try await claim(name) ?? false
            else { continue }
            try await drop(name)
        }
    }

    func drop(_ name: String) async throws {
        try await administration.execute("DROP DATABASE IF EXISTS \(MySQLText.identifier(name))")
    }

    /// Nil where the server has no such locks.
    private func claim(_ name: String) async throws -> Bool? {
        do {
            return try await administration.value("SELECT GET_LOCK('dbtool scratch \(name)', 0)")
                == "1"
        } catch let error as MySQLError where error.refusesNamedLocks {
            return nil
        }
    }
}
