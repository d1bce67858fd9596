import BackupCore

/// One moment of a database: transactions that began together.
struct MySQLSnapshot: Snapshot {
    let moment: SnapshotMoment
    let schema: Schema
    let definition: SchemaDefinition

    /// Holds the metadata locks of all tables; it reads too.
    let leader: MySQLConnection
    let readers: ConnectionPool<MySQLConnection>
    let rows: [TableName: MySQLRows]
    /// What made the tables, as it was under the locks.
    let statements: [ExactText: String]
    let objects: MySQLObjects
    /// Whether the server's own numbers of tables are known.
    let knowsTables: Bool
    /// The sequences that belong to the backup.
    let sequenceNames: Set<ExactText>
    /// What the account does not see.
    var blindness: [MySQLBlindness] = []

    func parts(of table: Table) -> [TablePart] {
        (rows[table.name]?.selections(split: table.split) ?? []).map {
            TablePart(table: table.name, selection: $0.text)
        }
    }

    func split(of table: Table, like split: String) -> String {
        rows[table.name]?.split(like: split) ?? table.split
    }

    // MARK: What changed

    func loss(ofIdentity parent: [String: String]) -> String? {
        "\(objects.server.product.rawValue) does not show the versions of rows"
    }

    func isOtherSource(than parent: [String: String]) -> String? {
        guard !isOfOther(than: parent) else { return "it was another server" }
        if let reason = MySQLLogPlace.setback(since: parent, to: moment.identity) { return reason }
        return knowsTables
            ? nil
            : "nobody knows whether tables are the ones that they were: that needs the privilege PROCESS"
    }

    func isOfOther(than parent: [String: String]) -> Bool {
        !MySQLIdentity.isSame(parent, moment.identity)
    }

    var isBlind: Bool { !blindness.isEmpty }

    func unseen(of definition: [UInt8]) throws -> [String] {
        guard !blindness.isEmpty else { return [] }
        let own = try MySQLDefinition(self.definition.sql).objects
        let other = try MySQLDefinition(definition).objects
        return blindness.compactMap { $0.words(of: $0.unseen(of: other, having: own)) }
    }

    // MARK: Rows

    func read(_ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void)
        async throws
    {
        do {
            try await MySQLSelection(text: part.selection).read(on: readers, into: sink)
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot read \(part.table)")
        }
    }

    /// The next values of keys that count by themselves, and of MariaDB's sequences.
    func sequences() async throws -> [SequenceValue] {
        do {
            return try await leader.turn.pass {
                try await MySQLCounters(connection: leader, database: objects.database)
                    .values(of: schema.tables.map(\.name), sequences: sequenceNames)
            }
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot read the counters")
        }
    }

    /// All transactions must have lived until now, and no table may be made otherwise than it was.
    func confirm() async throws {
        do {
            for reader in readers.all { try await Self.confirmTransaction(of: reader) }
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot check the snapshot")
        }
        do {
            let now = try await leader.turn.pass {
                try await objects.statements(of: schema.tables.map(\.name))
            }
            let changed = schema.tables.map(\.name.name).first {
                statements[ExactText($0)] != now[ExactText($0)]
            }
            guard let changed else { return }
            throw BackupError(
                .sourceChanged, "table \(changed) was changed during the backup",
                hint: "Run the backup again.")
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot check the snapshot")
        }
    }

    /// Closing the connections would end the transactions as well.
    func release() async {
        for reader in readers.all {
            try? await reader.turn.pass { try await reader.execute("ROLLBACK") }
        }
    }

    /// One that has ended would have gone on without a word, and read rows of later.
    private static func confirmTransaction(of reader: MySQLConnection) async throws {
        try await reader.turn.pass {
            try await reader.execute("DO 0")
            guard await reader.isInTransaction else {
                throw BackupError(
                    .sourceChanged, "the server has ended a transaction of the backup",
                    hint: "Run the backup again.")
            }
        }
    }
}
