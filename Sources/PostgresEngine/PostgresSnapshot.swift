import BackupCore

/// One moment of a PostgreSQL database: a transaction that holds locks, and others that joined it.
struct PostgresSnapshot: Snapshot {
    let moment: SnapshotMoment
    let schema: Schema
    let definition: SchemaDefinition

    /// Holds the locks and the snapshot; it reads too.
    let leader: PostgresConnection
    let readers: PostgresReaders
    let rows: [TableName: PostgresRows]
    /// The sequences as they were defined at the snapshot.
    let definedSequences: [PostgresSequences.Sequence]
    let settings: PostgresSettings
    /// What has been written by everything that the snapshot sees; nil on a standby.
    let writtenUpTo: String?
    /// What the meaning of rows depends on, as it was at the snapshot.
    let meaning: PostgresMeaning
    /// Whether a restart of the server since the parent is known to be harmless.
    let trustsRestart: Bool

    func parts(of table: Table) -> [TablePart] {
        (rows[table.name]?.statements(split: table.split) ?? []).map {
            TablePart(table: table.name, selection: $0)
        }
    }

    func split(of table: Table, like split: String) -> String {
        rows[table.name]?.split(like: split) ?? table.split
    }

    func loss(ofIdentity parent: [String: String]) -> String? {
        PostgresIdentity(moment.identity).loss(
            since: PostgresIdentity(parent), trustsRestart: trustsRestart)
    }

    func isOtherSource(than parent: [String: String]) -> String? {
        PostgresIdentity(moment.identity).loss(
            since: PostgresIdentity(parent), trustsRestart: true)
    }

    func isOfOther(than parent: [String: String]) -> Bool {
        ["system_identifier", "database_oid"].contains { moment.identity[$0] != parent[$0] }
    }

    func read(_ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void)
        async throws
    {
        do {
            // The connection is free for the next part while the last rows are still worked on.
            try await Relay.ofRows(receive: sink) { relay in
                let delivery = try PostgresDelivery(to: relay)
                let isRead = try await readers.withOne(for: delivery, of: part.table) {
                    connection in
                    try await copy(part, on: connection, to: delivery)
                }
                if !isRead {
                    // Somebody waits for an exclusive lock on this table, and a new lock would wait
                    // behind them, who wait for us. The leader has its lock already.
                    try await leader.turn.pass {
                        try await copyWithoutLock(part, on: leader, to: delivery)
                    }
                }
                try delivery.finish()
            }
        } catch var error as PostgresError {
            if error.sqlState == "22P05" { error.hint = Self.advice(onCharacter: error.message) }
            throw error.backupError(while: "cannot read \(part.table)")
        }
    }

    /// How to find what has no equivalent in UTF-8: a byte of a Windows code page that stands for nothing.
    ///
    /// `message`: The server's, in whatever language: `character with byte sequence 0x81 in encoding …`.
    static func advice(onCharacter message: String) -> String? {
        guard let bytes = message.firstMatch(of: /0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*/) else {
            return nil
        }
        let digits = bytes.output.replacing("0x", with: "").replacing(" ", with: "")
        return """
            These bytes are no character of the database's encoding. Mend the rows that hold them, in any column: \
            WHERE position(decode('\(digits)', 'hex') IN \
            convert_to(column::text, getdatabaseencoding())) > 0
            """
    }

    /// Takes this connection's own lock, without waiting, and reads; false when there is no lock.
    ///
    /// The lock is given back with those on indexes that a query's planner takes: the leader has its own on the table.
    /// In one message: with small tables, waiting for an answer takes longer than reading them.
    private func copy(
        _ part: TablePart, on connection: PostgresConnection, to delivery: PostgresDelivery
    ) async throws -> Bool {
        guard connection !== leader else {
            // Nobody can take its place, so that nobody need know what it has handed over.
            try await copyWithoutLock(part, on: connection, to: delivery.relay)
            return true
        }
        guard part.table.schema != PostgresLargeObjects.pages.schema else {
            try await copyWithoutLock(part, on: connection, to: delivery)
            return true
        }
        do {
            try await connection.copyOut(
                """
                SAVEPOINT before_lock;
                LOCK TABLE ONLY \(SQLText.qualified(part.table)) IN ACCESS SHARE MODE NOWAIT;
                \(keepsLock(of: part.table) ? Self.keepingLock : "")
                \(part.selection);
                ROLLBACK TO SAVEPOINT before_lock;
                RELEASE SAVEPOINT before_lock
                """, to: delivery)
            try await Self.recover(connection, to: "before_lock")
            return true
        } catch let error as PostgresError where error.sqlState == "55P03" {
            try await connection.execute(
                "ROLLBACK TO SAVEPOINT before_lock; RELEASE SAVEPOINT before_lock")
            return false
        }
    }

    /// Once somebody waits for an exclusive lock, nobody gets a new one: a connection that gave back its lock on a table
    /// of many parts would have to leave the others to the leader.
    private func keepsLock(of table: TableName) -> Bool {
        rows[table].map { !$0.split.isEmpty } ?? false
    }

    private static let keepingLock = "RELEASE SAVEPOINT before_lock; SAVEPOINT before_lock;"

    /// Reads without a lock of its own.
    ///
    /// The query takes locks on all indexes, which are freed when what came after a savepoint is undone: thousands of
    /// tables would fill the server's table of locks.
    private func copyWithoutLock(
        _ part: TablePart, on connection: PostgresConnection, to receiver: any RowReceiver
    ) async throws {
        try await connection.copyOut(
            """
            SAVEPOINT before_rows;
            \(part.selection);
            ROLLBACK TO SAVEPOINT before_rows;
            RELEASE SAVEPOINT before_rows
            """, to: receiver)
        try await Self.recover(connection, to: "before_rows")
    }

    /// A COPY of which nobody wants more, as the table is read in another way, was cancelled: that fails its transaction,
    /// whose snapshot is still needed.
    private static func recover(
        _ connection: PostgresConnection, to savepoint: String
    ) async throws {
        guard await connection.isInFailedTransaction else { return }
        try await connection.execute(
            "ROLLBACK TO SAVEPOINT \(savepoint); RELEASE SAVEPOINT \(savepoint)")
    }

    func sequences() async throws -> [SequenceValue] {
        do {
            let values = try await leader.turn.pass {
                try await PostgresSequences.read(definedSequences.map(\.name), on: leader)
            }
            try PostgresSequences.check(values, against: definedSequences)
            return values
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot read the sequences")
        }
    }

    func confirm() async throws {
        do {
            // The transaction must have lived until now: its locks and its snapshot ended with it.
            try await leader.turn.pass { try await leader.execute("SELECT 1") }
            let fresh = try await PostgresSession.another(settings, encoding: moment.encoding)
            try await confirmMeaning(on: fresh)
            try await waitUntilWritten(on: fresh)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot check the snapshot")
        }
    }

    /// Closing the connections would end the transactions as well.
    func release() async {
        for reader in readers.all {
            try? await reader.turn.pass { try await reader.execute("ROLLBACK") }
        }
    }

    /// Schemas can be renamed and types changed without a lock on the tables: what was read before
    /// and after may then be another table's, or mean different things.
    private func confirmMeaning(on fresh: PostgresConnection) async throws {
        let catalog = PostgresCatalog(connection: fresh)
        let tables = schema.tables.filter { !$0.identity.textDigest.isEmpty }
        let now = try await catalog.meaning(
            of: schema.tables.map(\.identity).filter { !$0.storage.isEmpty }.map(\.object))
        guard let kind = meaning.change(to: now) else { return }
        // A table whose digest differs can be named; what was changed back cannot be told apart.
        let digests = try await catalog.textDigests(of: tables.map(\.identity.object))
        let named = tables.first { digests[$0.identity.object] != $0.identity.textDigest }
        let user = named.map { "\($0.name)" } ?? "the tables"
        throw BackupError(
            .sourceChanged,
            "a \(kind) that rows of \(user) depend on was changed during the backup",
            hint: "Run the backup again.")
    }

    /// In twentieths of a second.
    private static let roundsOfPatience = 100

    /// Has the server write its log up to here.
    ///
    /// A commit that waits until it is written waits for all before it; it must write something to do so, which here
    /// is a message to nobody. It does not wait for other servers.
    private func writeLog(on connection: PostgresConnection) async {
        do {
            try await connection.executeInterruptibly(
                """
                BEGIN READ WRITE; SET LOCAL synchronous_commit = local;
                SELECT pg_catalog.pg_logical_emit_message(true, 'dbtool', ''); COMMIT
                """)
        } catch {
            // Whoever may not is left to wait for the server.
            try? await connection.execute("ROLLBACK")
        }
    }

    /// A crash must not take back what the backup holds: with `synchronous_commit = off` a commit is
    /// visible before it is written.
    ///
    /// The log's writer writes whole pages, and what has been committed at the latest after three of
    /// its rounds; on an idle server the rest of a page may stay unwritten much longer. Where the server's clock was set back
    /// that writer does nothing until its time comes again: then it is this backup that has the log written.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/wal-async-commit.html>
    private func waitUntilWritten(on fresh: PostgresConnection) async throws {
        guard let writtenUpTo else { return }
        for round in 0..<600 {
            if round == Self.roundsOfPatience { await writeLog(on: fresh) }
            let isWritten = try await fresh.value(
                """
                SELECT f >= w
                  OR (f >= w - (w - '0/0'::pg_lsn) % 8192
                      AND pg_catalog.clock_timestamp() - $2::timestamptz
                          > (3 * s.setting::numeric + 100) * interval '1 millisecond')
                FROM pg_catalog.pg_current_wal_flush_lsn() f,
                     (SELECT $1::pg_lsn) w(w),
                     pg_catalog.pg_settings s
                WHERE s.name = 'wal_writer_delay'
                """, [writtenUpTo, moment.time.text])
            if isWritten == "t" { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BackupError(
            .sourceChanged,
            "the server did not write its log up to the snapshot within half a minute",
            hint: "Run the backup again.")
    }
}
