import BackupCore
import BackupTesting
import PostgresEngine
import Testing

@Suite struct PostgresContractTests {
    @Test(arguments: TestServer.all, EngineContract.checks)
    func `PostgreSQL keeps the contract`(
        server: TestServer, check: ContractCheck<EngineSubject>
    ) async throws {
        try await Workbench.with(server) { bench in
            try await check.run(on: bench.engineSubject())
        }
    }
}

extension Workbench {
    /// A source that is as `EngineSample` says, with so many rows that its tables have several
    /// batches, and a target that does not exist yet.
    func engineSubject() async throws -> EngineSubject {
        let sample = EngineSample(itemCount: 5000)
        let source = try await createDatabase()
        try await source.query(
            """
            CREATE TABLE items (number integer PRIMARY KEY, label text);
            CREATE TABLE words (word text);
            CREATE TABLE empty (number integer PRIMARY KEY);
            CREATE SEQUENCE item_numbers;
            SELECT setval('item_numbers', \(sample.sequence.lastValue), \(sample.sequence.isCalled));
            """)
        for (table, rows) in sample.rows where !rows.isEmpty {
            try await source.query(Self.insertion(of: rows, into: table))
        }
        let target = expectDatabase()
        return EngineSubject(
            engine: PostgresEngine(settings(for: source)), sample: sample, target: target.name,
            addLateRow: {
                try await source.query(Self.insertion(of: [sample.lateRow], into: sample.items))
            },
            dropItems: { try await source.query("SET lock_timeout = '5s'; DROP TABLE items") },
            targetRows: { table in
                // Hexadecimal, because rows may hold whatever separates rows and columns.
                let columns =
                    table == sample.items
                    ? ["number", "label"]
                    : [
                        table == sample.words ? "word" : "number"
                    ]
                let list = columns.map {
                    "coalesce(encode(convert_to(\($0)::text, 'UTF8'), 'hex'), 'NULL')"
                }
                let text = try await target.query(
                    "SELECT \(list.joined(separator: ", ")) FROM \(table)")
                return text.split(separator: "\n", omittingEmptySubsequences: false)
                    .map(String.init).filter { !$0.isEmpty || columns.count == 1 && !text.isEmpty }
                    .map {
                        $0.split(separator: "|", omittingEmptySubsequences: false).map(Self.unhex)
                    }
            },
            targetSequence: { name in
                let row = try await target.query("SELECT last_value, is_called FROM \(name)")
                    .split(separator: "|")
                return SequenceValue(
                    schema: name.schema, name: name.name,
                    lastValue: try #require(Int64(row[0])), isCalled: row[1] == "t")
            })
    }

    private func settings(for database: TestDatabase) -> PostgresSettings {
        var settings = PostgresSettings()
        settings.url = Secret(database.url)
        settings.pgDump = "\(server.bin)/pg_dump"
        return settings
    }

    private static func insertion(of rows: [[String?]], into table: TableName) -> String {
        let values = rows.map { row in
            let fields = row.map { field in
                field.map { "convert_from('\\x\(hex($0))'::bytea, 'UTF8')" } ?? "NULL"
            }
            // The first column of two is a number.
            let first = row.count == 2 ? "(\(fields[0]))::integer" : fields[0]
            return "(\(([first] + fields.dropFirst()).joined(separator: ", ")))"
        }
        return "INSERT INTO \(table) VALUES \(values.joined(separator: ",\n"))"
    }

    private static func hex(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func unhex(_ digits: Substring) -> String? {
        guard digits != "NULL" else { return nil }
        let pairs = stride(from: 0, to: digits.count, by: 2).map { offset in
            digits.dropFirst(offset).prefix(2)
        }
        return String(decoding: pairs.compactMap { UInt8($0, radix: 16) }, as: UTF8.self)
    }
}
