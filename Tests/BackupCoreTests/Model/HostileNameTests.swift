import BackupTesting
import Foundation
import Packing
import Testing

@testable import BackupCore

/// Names that people write and files hold are understood as what they are, or refused with words.
@Suite struct HostileNameTests {
    private static let backups = [
        ("full_a_20250101_120000_a1b2", "2025-01-01T12:00:00.5Z"),
        ("full_a_20250102_120000_c3d4", "2025-01-02T12:00:00Z"),
        ("full_a_20250102_130000_a1b3", "2025-01-02T13:00:00Z"),
        ("full_b%20c_d_20250103_120000_eeee", "2025-01-03T12:00:00Z"),
    ]

    @Test func `whatever somebody calls a point, it is that point or none`() async throws {
        let contents = try await RepositoryTests.repository(Self.backups).contents()
        let words =
            Self.backups.flatMap { [$0.0, $0.1, String($0.0.suffix(4))] }
            + ["latest", "2025-01-02 14:00+02:00", "20250102_120000_c3d4", "+", "T", "_"]
        try await Attack("names of points").run(tries: Attack.tries * 200) { _, random in
            var name = words.randomElement(using: &random) ?? ""
            if Bool.random(using: &random) {
                var bytes = Array(name.utf8)
                Forgery.random(forText: false, &random).apply(to: &bytes, &random)
                name = String(decoding: bytes, as: UTF8.self)
            } else if Bool.random(using: &random) {
                name = String(name.prefix(Int.random(in: 0...30, using: &random)))
                name += random.text(maximumLength: 3)
            }
            do {
                let point = try contents.point(
                    named: name, database: Bool.random(using: &random) ? "a" : nil)
                let id = point.id.text
                let isMeant =
                    Array(id.utf8).starts(with: Array(name.utf8)) || point.id.hexDigits == name
                    || name.lowercased() == "latest"
                    || Timestamp(endOf: name).map { $0 >= point.metadata.snapshotAt } ?? false
                return isMeant ? [] : ["\(name) is \(id)"]
            } catch is BackupError {
                return []
            }
        }
    }

    @Test func `an id is read as it was made, or is none`() async throws {
        try await Attack("ids").run(tries: Attack.tries * 200) { _, random in
            let kind = BackupKind.allCases.randomElement(using: &random) ?? .full
            let date = Date(timeIntervalSince1970: Double.random(in: 0...4e9, using: &random))
            let made = BackupID(
                kind: kind, database: random.text(maximumLength: 90) + "x", at: date,
                random: UInt16.random(in: 0...UInt16.max, using: &random))
            var broken = BackupID(made.text) == made ? [] : ["\(made) is not read"]
            var bytes = Array(made.text.utf8)
            Forgery.random(forText: false, &random).apply(to: &bytes, &random)
            let text = String(decoding: bytes, as: UTF8.self)
            if let read = BackupID(text) {
                let again = "\(read.kind.rawValue)_\(read.encodedDatabase)_\(read.tail)"
                if again != text || read.hexDigits.utf8.count != 4 {
                    broken.append("\(text) is \(again)")
                }
                if (try? StorageName(path: text)) == nil { broken.append("\(text) is no name") }
            }
            return broken
        }
    }

    @Test func `a time is read as it was written, or is none`() async throws {
        let samples = [
            "2025-01-01T12:00:00.123456+00:00", "2025-02-28 23:59:59-11:30", "1999-12-31",
            "2024-02-29T00:00Z",
        ]
        try await Attack("times").run(tries: Attack.tries * 200) { _, random in
            // A hundred years around 2001: microseconds are not exact far from there.
            let micros = Int.random(
                in: -3_000_000_000_000_000...3_000_000_000_000_000, using: &random)
            let time = Timestamp(
                Date(timeIntervalSinceReferenceDate: Double(micros) / 1_000_000))
            var broken: [String] = []
            if Timestamp(time.text)?.text != time.text {
                broken.append("\(time.text) is \(Timestamp(time.text)?.text ?? "none")")
            }
            var bytes = Array((samples.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                guard let place = bytes.indices.randomElement(using: &random) else { break }
                bytes[place] = Array("0123456789-+:.TZ ".utf8).randomElement(using: &random) ?? 0
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let read = Timestamp(text),
                abs(read.date.timeIntervalSinceReferenceDate) < 4_000_000_000,
                Timestamp(read.text)?.text != read.text
            {
                broken.append(
                    "\(text) is \(read.text), and that \(Timestamp(read.text)?.text ?? "none")")
            }
            return broken
        }
    }

    @Test func `a quoted pattern means its table, and any other ends`() async throws {
        try await Attack("patterns of tables").run(tries: Attack.tries * 200) { _, random in
            let table = TableName(
                schema: random.text(maximumLength: 5) + "s",
                name: random.text(maximumLength: 5) + "t")
            let quoted = [table.schema, table.name].map {
                "\"\($0.replacing(scalar: "\"", with: "\"\""))\""
            }.joined(separator: ".")
            let pattern = try TablePattern(quoted)
            var broken: [String] = []
            if !pattern.matches(table, defaultSchema: "public") { broken.append(quoted) }
            if pattern.literal.map({ $0.schema == table.schema && $0.name == table.name }) != true {
                broken.append("literal of \(quoted)")
            }
            let text = random.text(maximumLength: 12) + String(repeating: "*a", count: 20)
            do {
                _ = try TablePattern(text).matches(table, defaultSchema: "public")
            } catch is BackupError {
                // Words are an answer.
            } catch {
                broken.append("\(text): \(error)")
            }
            return broken
        }
    }

    @Test func `files of tables, whatever their names, come out of a zip as they went in`()
        async throws
    {
        try await Attack("names in a zip").run(tries: 1) { _, random in
            let tables = (0..<(Attack.tries * 100)).map { number in
                Table(
                    memory: random.text(maximumLength: 4),
                    "\(random.text(maximumLength: 90))\(number)",
                    columns: [])
            }
            let names = FileNaming.names(for: tables, defaultSchema: "public").values.sorted()
            let zip = try ZipWriter()
            var archive: [UInt8] = []
            for name in names {
                let bytes = Array(name.utf8)
                try zip.beginFile(
                    "top/\(name).csv", byteCount: bytes.count, modified: 1_700_000_000)
                try zip.append(bytes)
                archive += zip.takeOutput()
            }
            try zip.finish()
            archive += zip.takeOutput()
            return try await withTemporaryFolder { folder in
                let path = "\(folder)/a.zip"
                try Data(archive).write(to: URL(fileURLWithPath: path))
                let end = try await Program.run(
                    "/usr/bin/unzip", ["-q", path, "-d", folder],
                    environment: ["PATH": "/usr/bin:/bin"], folder: folder)
                var broken = end.code == 0 ? [] : ["\(end)"]
                for name in names {
                    let bytes = try? Data(
                        contentsOf: URL(fileURLWithPath: "\(folder)/top/\(name).csv"))
                    if bytes != Data(name.utf8) { broken.append("\(name) is \(bytes as Any)") }
                }
                let count = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/top")
                    .count
                if count != tables.count { broken.append("\(count) files of \(tables.count)") }
                return broken
            }
        }
    }
}
