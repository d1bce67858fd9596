import BackupCore

/// The definition of a source, read by pg_dump at a snapshot's moment.
struct PostgresDefinition {
    let programs: PostgresPrograms
    let login: PostgresProgramLogin
    let snapshotID: String
    let encoding: String
    let lockTimeout: Duration

    /// What is read: `list` names the entries in scope, nil where all are.
    typealias Definition = (sql: [UInt8], dump: [UInt8], list: [UInt8]?, warnings: [String])

    /// The snapshot's own locks are held already: who is in the way now waits for us, for as long as
    /// we wait for them.
    ///
    /// Giving up early lets them through, and the snapshot is taken anew.
    private var lockMilliseconds: Int64 {
        min(5000, max(1, lockTimeout.components.seconds * 1000))
    }

    /// Reads the SQL for people and pg_dump's archive, and what pg_dump warns of.
    ///
    /// `tables` are the oids of the tables in scope, nil for everything; `unreadable` are tables
    /// that pg_dump must not touch.
    func read(
        tables: Set<String>?, unreadable: [TableName]
    ) async throws -> Definition {
        let (dump, warnings) = try await programs.dump(
            [
                "--schema-only", "--format=custom", "--snapshot=\(snapshotID)",
                "--lock-wait-timeout=\(lockMilliseconds)",
                "--encoding=\(encoding)", "--exclude-schema=\(PostgresRestoreMark.schema)",
            ]
                + unreadable.map { "--exclude-table=\(SQLText.qualified($0))" } + [login.option],
            environment: login.environment)
        return try await TemporaryFile.with(dump) { archive in
            guard let tables else {
                let sql = try await programs.render(["--file=-", archive])
                return (Self.readable(sql), dump, nil, warnings)
            }
            let list = try await selection(of: tables, in: archive)
            return (try await render(archive, list), dump, list, warnings)
        }
    }

    private func selection(of tables: Set<String>, in archive: String) async throws -> [UInt8] {
        let list = try await programs.render(["--list", "--verbose", archive])
        let contents = PostgresArchive(list: String(decoding: list, as: UTF8.self))
        return Array(contents.list(of: contents.entries(making: tables)).utf8)
    }

    private func render(_ archive: String, _ list: [UInt8]) async throws -> [UInt8] {
        try await TemporaryFile.with(list) { file in
            Self.readable(
                try await programs.render(["--file=-", "--use-list=\(file)", archive]))
        }
    }

    /// Without lines that differ between two dumps of the same schema, or that only psql knows.
    static func readable(_ sql: [UInt8]) -> [UInt8] {
        let dropped = ["\\restrict ", "\\unrestrict ", "-- Dumped from ", "-- Dumped by "]
            .map { Array($0.utf8) }
        let lines = sql.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return Array(
            lines.filter { line in !dropped.contains { line.starts(with: $0) } }
                .joined(separator: [UInt8(ascii: "\n")]))
    }
}
