import BackupTesting

/// Statements that make a database of tables that nobody would think of, and change it.
///
/// The same seed gives the same statements.
struct RandomMySQLDatabase {
    private var random: SeededGenerator
    private var tables: [(name: String, columns: [Column])] = []
    private let isMariaDB: Bool

    private struct Column {
        let name: String
        let type: String
        let value: (inout SeededGenerator) -> String
    }

    init(seed: UInt64, isMariaDB: Bool) {
        random = SeededGenerator(seed: seed)
        self.isMariaDB = isMariaDB
    }

    private static let words = [
        "a", "B", "the name", "sel`ect", "x.y", "per%cent", "quo'te", "dou\"ble", "日本", "ünï",
        "back\\slash", "order", "#", "--", "a,b",
        "(p)", "@at", "tab", "T", "ends ", "1st", "e5", "0x41", "null",
    ]

    private static let texts = [
        "", "a", "A", "NULL", "\\N", "\\.", "\"", "'", ",", "\n", "\r\n", "\t", "\\", "\\x41", "é",
        "日本語", "😀", " lead", "trail ", "0", "-1",
        "a,\"b\"\nc", "ſ", "ß", "ss", "Ⅰ", "№", "\u{0}", "\u{1A}", "%_", "x'41'",
    ]

    private static func literal(_ text: String) -> String {
        "CONVERT(x'\(text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())' USING utf8mb4)"
    }

    /// The statements that make it.
    mutating func creation() -> String {
        var sql =
            "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';\n"
        for number in 0..<Int.random(in: 2...5, using: &random) {
            var names = Self.words.shuffled(using: &random)
            let name = "\(names.removeLast().trimmed)\(number)"
            let columns = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                column(names.removeLast().trimmed)
            }
            tables.append((name, columns))
            sql += table(name, columns) + ";\n"
            sql += inserts(name, columns, count: Int.random(in: 0...120, using: &random))
        }
        return sql
    }

    /// Statements that change it; some may fail.
    mutating func changes() -> [String] {
        var statements: [String] = []
        for (name, columns) in tables where Bool.random(using: &random) {
            let table = Self.quoted(name)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                guard let column = columns.randomElement(using: &random) else { continue }
                let value = column.value(&random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    statements.append(
                        "DELETE FROM \(table) LIMIT \(Int.random(in: 1...20, using: &random))")
                case 1:
                    statements.append(
                        inserts(name, columns, count: Int.random(in: 1...20, using: &random)))
                default:
                    statements.append(
                        "UPDATE IGNORE \(table) SET \(Self.quoted(column.name)) = \(value) LIMIT \(Int.random(in: 1...30, using: &random))"
                    )
                }
            }
        }
        return statements.map {
            "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; \($0)"
        }
    }

    private static func quoted(_ name: String) -> String {
        "`\(name.replacing("`", with: "``"))`"
    }

    private mutating func table(_ name: String, _ columns: [Column]) -> String {
        var items = columns.map { "\(Self.quoted($0.name)) \($0.type)" }
        let keyable = columns.filter { column in
            !["text", "blob", "json"].contains { column.type.hasPrefix($0) }
        }
        let key = keyable.shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random))
        if !key.isEmpty {
            let list = key.map { Self.quoted($0.name) }.joined(separator: ", ")
            let kind = Int.random(in: 0..<4, using: &random) == 0 ? "UNIQUE KEY u" : "PRIMARY KEY"
            items = zip(columns, items).map { column, item in
                key.contains { $0.name == column.name } ? "\(item) NOT NULL" : item
            }
            items.append("\(kind) (\(list))")
        }
        if let indexed = keyable.randomElement(using: &random), Bool.random(using: &random) {
            items.append("KEY `an index` (\(Self.quoted(indexed.name)))")
        }
        let sets = ["utf8mb4", "latin1", "utf8mb4 COLLATE utf8mb4_bin"]
        let set = sets.randomElement(using: &random) ?? ""
        return
            "CREATE TABLE \(Self.quoted(name)) (\(items.joined(separator: ", "))) ENGINE = InnoDB DEFAULT CHARSET = \(set)"
    }

    private mutating func inserts(_ name: String, _ columns: [Column], count: Int) -> String {
        guard count > 0 else { return "" }
        let rows = (0..<count).map { _ in
            "(\(columns.map { Int.random(in: 0..<8, using: &random) == 0 ? "NULL" : $0.value(&random) }.joined(separator: ", ")))"
        }
        return "INSERT IGNORE INTO \(Self.quoted(name)) VALUES \(rows.joined(separator: ",\n"));\n"
    }

    private mutating func column(_ name: String) -> Column {
        typealias Value = (inout SeededGenerator) -> String
        func text(_ most: Int) -> Value {
            { random in
                let pieces = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    Self.texts.randomElement(using: &random) ?? ""
                }
                return Self.literal(String(pieces.joined().prefix(most)))
            }
        }
        let bytes: Value = { random in
            let count = Int.random(in: 0...12, using: &random)
            let hex = (0..<count).map { _ in
                let byte = UInt8.random(in: 0...255, using: &random)
                return (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            return "x'\(hex.joined())'"
        }
        func number(_ most: Int) -> Value {
            { random in
                [
                    "0", "-1", "\(most)", "\(-most - 1)",
                    "\(Int.random(in: -most...most, using: &random))",
                    "\(Int.random(in: 0...9, using: &random))",
                ].randomElement(using: &random) ?? "0"
            }
        }
        let real: Value = { random in
            [
                "0", "-0e0", "1e-40", "3.4e38", "-1.5", "0.1", "1e15",
                "\(Double.random(in: -1e6...1e6, using: &random))",
            ].randomElement(using: &random) ?? "0"
        }
        let day: Value = { random in
            let date =
                [
                    "0000-00-00", "9999-12-31", "2024-02-29", "1000-01-01", "2024-02-31",
                    "20\(Int.random(in: 10...99, using: &random))-0\(Int.random(in: 1...9, using: &random))-1\(Int.random(in: 0...9, using: &random))",
                ].randomElement(using: &random) ?? ""
            let time =
                ["00:00:00", "23:59:59.999999", "12:34:56.7"].randomElement(using: &random) ?? ""
            return "'\(date) \(time)'"
        }
        let moment: Value = { random in
            "'\(["2024-03-31 02:30:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07", "0000-00-00 00:00:00", "2001-09-09 01:46:40.123456"].randomElement(using: &random) ?? "")'"
        }
        let duration: Value = { random in
            "'\(["-838:59:59", "838:59:59", "00:00:00", "12:34:56.789", "-00:00:00.5"].randomElement(using: &random) ?? "")'"
        }
        let label: Value = { random in
            ["'x'", "'a,b'", "'it''s'", "''", "'never'", "2"].randomElement(using: &random) ?? ""
        }
        let document: Value = { random in
            [
                "'null'", "'{}'", "'[1, 2.50, \"x\"]'", "'{\"b\": 1, \"a\": null}'", "'\"te,xt\"'",
                "JSON_OBJECT('a.b', JSON_ARRAY(2.50, 0.00, '1.10'))",
            ]
            .randomElement(using: &random) ?? ""
        }
        let sets = [
            "", " CHARACTER SET utf8mb4", " CHARACTER SET latin1", " CHARACTER SET utf16",
            " CHARACTER SET cp932", " CHARACTER SET latin2",
        ]
        let set = sets.randomElement(using: &random) ?? ""
        let choices: [(String, Value)] = [
            ("tinyint", number(127)), ("smallint unsigned", number(65535)),
            ("int", number(1 << 31 - 1)), ("bigint", number(1 << 62)),
            ("bigint unsigned", number(1 << 62)), ("decimal(20,5)", real), ("float", real),
            ("double", real), ("bit(5)", number(31)),
            ("bit(64)", number(1 << 62)), ("char(10)\(set)", text(10)),
            ("varchar(40)\(set)", text(40)), ("text\(set)", text(200)),
            ("binary(6)", bytes), ("varbinary(20)", bytes), ("blob", bytes), ("date", day),
            ("datetime(6)", day), ("datetime", day),
            ("timestamp(3) NULL", moment), ("time(6)", duration), ("year", number(155)),
            ("enum('x','a,b','it''s')\(set)", label),
            ("enum('','x','0')", label), ("set('x','a','it''s')", label), ("json", document),
        ]
        let (type, value) = choices.randomElement(using: &random) ?? choices[0]
        // A moment that may be NULL cannot be part of a primary key.
        return Column(name: name, type: type, value: value)
    }
}

extension String {
    /// Names must not end with a space.
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) + "_" : self }
}
