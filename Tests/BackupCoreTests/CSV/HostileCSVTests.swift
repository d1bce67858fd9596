import BackupTesting
import Testing

@testable import BackupCore

/// Any fields come back as they were, and any bytes are read or refused with words.
@Suite struct HostileCSVTests {
    @Test func `whatever the fields, they come back, whole and by their keys`() async throws {
        try await Attack("CSV records").run(tries: Attack.tries * 200) { _, random in
            let records = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                Self.fields(&random)
            }
            var splitter = RecordSplitter()
            var found: [[UInt8]] = []
            var bytes = records.flatMap { CSVDialect.record($0) }[...]
            while !bytes.isEmpty {
                let piece = bytes.prefix(Int.random(in: 1...20, using: &random))
                bytes = bytes.dropFirst(piece.count)
                found += Self.records(of: splitter.records(completedBy: Array(piece)))
            }
            try splitter.finish()
            var broken = found.count == records.count ? [] : ["\(records): \(found)"]
            for (record, fields) in zip(found, records) {
                if try !Self.isSame(CSVDialect.fields(of: record), fields) {
                    broken.append("\(fields): \(record)")
                }
                let positions = Array(fields.indices.shuffled(using: &random).prefix(2))
                var reader = KeyReader(positions: positions)
                var key: [UInt8] = []
                record.withUnsafeBytes { reader.appendKey(of: $0, to: &key) }
                if try !Self.isSame(CSVDialect.fields(of: key), positions.map { fields[$0] }) {
                    broken.append("key \(positions) of \(fields): \(key)")
                }
            }
            return broken
        }
    }

    @Test func `whatever the bytes, they are read or refused`() async throws {
        let alphabet = Array("\",\n\r\\.a".utf8) + [0, 0x80, 0xFF]
        try await Attack("CSV of any bytes").run(tries: Attack.tries * 200) { _, random in
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            var splitter = RecordSplitter()
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let records = [bytes[..<cut], bytes[cut...]].flatMap {
                Self.records(of: splitter.records(completedBy: Array($0)))
            }
            let whole = records.flatMap { $0 + [CSVDialect.lineEnd] }
            var broken = bytes.starts(with: whole) ? [] : ["\(bytes) became \(records)"]
            if whole.count + splitter.pendingBytes != bytes.count { broken.append("\(bytes)") }
            for record in records {
                var reader = KeyReader(positions: [2, 0])
                var key: [UInt8] = []
                record.withUnsafeBytes { reader.appendKey(of: $0, to: &key) }
                do {
                    _ = try CSVDialect.fields(of: record)
                } catch is BackupError {
                    // Words are an answer.
                } catch {
                    broken.append("\(record): \(error)")
                }
            }
            return broken
        }
    }

    private static func fields(_ random: inout SeededGenerator) -> [String?] {
        (0..<Int.random(in: 1...5, using: &random)).map { _ in
            switch Int.random(in: 0..<6, using: &random) {
            case 0: nil
            case 1: "\\."
            default: random.text(maximumLength: 8)
            }
        }
    }

    /// Without their line ends.
    private static func records(of batch: RowBatch) -> [[UInt8]] {
        zip([0] + batch.ends, batch.ends).map { Array(batch.bytes[$0..<($1 - 1)]) }
    }

    /// By bytes: for Swift some texts are equal that are not for a server.
    private static func isSame(_ left: [String?], _ right: [String?]) -> Bool {
        left.map { $0.map { Array($0.utf8) } } == right.map { $0.map { Array($0.utf8) } }
    }
}
