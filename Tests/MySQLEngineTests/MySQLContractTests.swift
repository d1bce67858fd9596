import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

@Suite struct MySQLContractTests {
    @Test(arguments: MySQLTestServer.all, EngineContract.checks)
    func `MySQL and MariaDB keep the contract`(
        server: MySQLTestServer, check: ContractCheck<EngineSubject>
    ) async throws {
        try await Workbench.gate.pass { try await inTurn(server, check) }
    }

    private func inTurn(
        _ server: MySQLTestServer, _ check: ContractCheck<EngineSubject>
    ) async throws {
        try await server.withDatabase { database in
            let subject = try await database.engineSubject()
            do {
                try await check.run(on: subject)
            } catch {
                _ = try? await server.query("DROP DATABASE IF EXISTS \(subject.target)")
                throw error
            }
            try await server.query("DROP DATABASE IF EXISTS \(subject.target)")
        }
    }
}

extension MySQLTestDatabase {
    /// A source that is as `EngineSample` says, with so many rows that its tables have several
    /// batches, and a target that does not exist yet.
    func engineSubject() async throws -> EngineSubject {
        let count = 5000
        // What counts is a sequence on one product, and a column on the other.
        let sample = EngineSample(
            itemCount: count, schema: name,
            sequence: SequenceValue(
                schema: name, name: server.isMariaDB ? "item_numbers" : "items",
                lastValue: server.isMariaDB ? 41 : Int64(count), isCalled: false))
        let counting =
            server.isMariaDB
            ? "CREATE SEQUENCE item_numbers START WITH 41 NOCACHE"
            : "ALTER TABLE items MODIFY number int AUTO_INCREMENT"
        try await query(
            """
            CREATE TABLE items (number int PRIMARY KEY, label text, KEY by_label (label(20)));
            CREATE TABLE words (word text);
            CREATE TABLE empty_ (number int PRIMARY KEY); RENAME TABLE empty_ TO `empty`;
            \(counting);
            """)
        for (table, rows) in sample.rows where !rows.isEmpty {
            try await load(Self.insertion(of: rows, into: table))
        }
        let target = MySQLTestDatabase(name: "\(name)_2", server: server)
        return EngineSubject(
            engine: MySQLEngine(settings()), sample: sample, target: target.name,
            addLateRow: {
                try await self.load(Self.insertion(of: [sample.lateRow], into: sample.items))
            },
            dropItems: {
                try await self.load("SET SESSION lock_wait_timeout = 5; DROP TABLE items")
            },
            targetRows: { table in
                let columns =
                    table == sample.items
                    ? ["number", "label"] : [table == sample.words ? "word" : "number"]
                // Hexadecimal, because rows may hold whatever separates rows and columns.
                let list = columns.map { "COALESCE(HEX(CAST(\($0) AS CHAR)), 'NULL')" }
                let text = try await target.query(
                    "SELECT 'row', \(list.joined(separator: ", ")) FROM `\(table.name)`")
                return text.split(separator: "\n").map { line in
                    line.split(separator: "\t", omittingEmptySubsequences: false).dropFirst()
                        .map(Self.unhex)
                }
            },
            targetSequence: { name in
                let text = try await target.query(
                    target.server.isMariaDB
                        ? "SELECT next_not_cached_value FROM `\(name.name)`"
                        : """
                        SET SESSION information_schema_stats_expiry = 0;
                        SELECT AUTO_INCREMENT FROM information_schema.TABLES
                        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '\(name.name)'
                        """)
                return SequenceValue(
                    schema: name.schema, name: name.name, lastValue: try #require(Int64(text)),
                    isCalled: false)
            })
    }

    private static func insertion(of rows: [[String?]], into table: TableName) -> String {
        let values = rows.map { row in
            let fields = row.map { field in
                field.map { "CONVERT(x'\(hex($0))' USING utf8mb4)" } ?? "NULL"
            }
            return "(\(fields.joined(separator: ", ")))"
        }
        return """
            SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
            INSERT INTO `\(table.name)` VALUES \(values.joined(separator: ",\n"));
            """
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
