import BackupTesting

/// A table with a key that is likely to be divided wrongly, and its rows.
struct MySQLKeyedTable {
    let name: String
    /// Between the parentheses of `CREATE TABLE`.
    let definition: String
    /// Rows, each as between the parentheses of `VALUES`.
    let rows: [String]
    /// Whether the key's first column has an order.
    var isDivisible = true

    /// The statements that make it; rows with equal keys are left out.
    var script: String {
        """
        SET NAMES utf8mb4; SET sql_mode = '';
        CREATE TABLE \(Self.quoted(name)) (\(definition)) ENGINE = InnoDB DEFAULT CHARSET utf8mb4;
        INSERT IGNORE INTO \(Self.quoted(name)) VALUES \(rows.map { "(\($0))" }.joined(separator: ",\n"));
        ANALYZE TABLE \(Self.quoted(name));
        """
    }

    private static func quoted(_ name: String) -> String {
        "`\(name.replacing("`", with: "``"))`"
    }

    /// One with a text of a collation as its key, behind a few values of the same in every other one.
    static func of(
        collation: String, characterSet: String, number: Int, _ random: inout SeededGenerator
    ) -> MySQLKeyedTable {
        let kind = Bool.random(using: &random) ? "varchar(24)" : "char(24)"
        let type = "\(kind) CHARACTER SET \(characterSet) COLLATE \(collation) NOT NULL"
        let few = (0..<3).map { _ in text(&random, in: characterSet) }
        let isPair = Bool.random(using: &random)
        let rows = (0..<240).map { row in
            let value = text(&random, in: characterSet)
            return isPair
                ? "\(few.randomElement(using: &random) ?? value), \(value), \(row)"
                : "\(value), \(row)"
        }
        return MySQLKeyedTable(
            name: "collation\(number)",
            definition: isPair
                ? "a \(type), b \(type), v int, PRIMARY KEY (a, b)"
                : "b \(type) PRIMARY KEY, v int",
            rows: rows,
            // MariaDB's index holds spaces that its values lack.
            isDivisible: !(kind.hasPrefix("char") && collation.contains("_nopad_")))
    }

    /// One with one to three columns of any types in its key, under odd names.
    static func random(
        number: Int, isMariaDB: Bool, _ random: inout SeededGenerator
    ) -> MySQLKeyedTable {
        let all = columns + (isMariaDB ? columnsOfMariaDB : [])
        let isLabelled = Int.random(in: 0..<8, using: &random) == 0
        let chosen = (0..<Int.random(in: 1...3, using: &random)).map { place in
            place == 0 && isLabelled ? label : all.randomElement(using: &random) ?? label
        }
        let names = ["a`b", "k 'é\"", "日;--"]
        let few: [[String]?] = chosen.map { column in
            Int.random(in: 0..<3, using: &random) == 0
                ? (0..<3).map { _ in column.value(&random) } : nil
        }
        let counts = few.allSatisfy { $0 != nil } || isLabelled
        // A number at the end keeps enough rows apart.
        let more = counts ? ["`last` bigint unsigned"] : []
        let keys = zip(names, chosen).map { name, _ in quoted(name) } + (counts ? ["`last`"] : [])
        let columns = zip(names, chosen).map { "\(quoted($0)) \($1.type) NOT NULL" } + more
        let rows = (0..<300).map { row in
            (zip(chosen, few).map { column, few in
                few?.randomElement(using: &random) ?? column.value(&random)
            } + (counts ? ["\(UInt64.max - UInt64(row) * 7)"] : []) + ["'row \(row)'"])
            .joined(separator: ", ")
        }
        return MySQLKeyedTable(
            name: "t`\(number) é'",
            definition:
                "\(columns.joined(separator: ", ")), v varchar(20), PRIMARY KEY (\(keys.joined(separator: ", ")))",
            rows: rows, isDivisible: !isLabelled)
    }

    // MARK: Columns

    private struct Kind: Sendable {
        let type: String
        let value: @Sendable (inout SeededGenerator) -> String
    }

    private static let label = Kind(type: "enum('z', 'm', 'a', 'Z1')") {
        ["'z'", "'m'", "'a'", "'Z1'"].randomElement(using: &$0) ?? "'a'"
    }

    private static let columns: [Kind] = [
        Kind(type: "varchar(24) COLLATE utf8mb4_bin") { text(&$0, in: "utf8mb4") },
        Kind(type: "varchar(24) COLLATE utf8mb4_general_ci") { text(&$0, in: "utf8mb4") },
        Kind(type: "varchar(24) COLLATE utf8mb4_unicode_ci") { text(&$0, in: "utf8mb4") },
        Kind(type: "char(24) COLLATE utf8mb4_unicode_520_ci") { text(&$0, in: "utf8mb4") },
        Kind(type: "varchar(24) CHARACTER SET latin1") { text(&$0, in: "latin1") },
        Kind(type: "char(24) CHARACTER SET latin1 COLLATE latin1_german2_ci") {
            text(&$0, in: "latin1")
        },
        Kind(type: "varchar(24) CHARACTER SET utf16") { text(&$0, in: "utf16") },
        Kind(type: "char(36)") { uuid(&$0, digits: 32) },
        Kind(type: "decimal(40, 10)") { "\(decimal(&$0, 30)).\(digits(&$0, 10))" },
        Kind(type: "decimal(65, 0)") { decimal(&$0, 65) },
        Kind(type: "decimal(9, 4)") { "\(decimal(&$0, 2)).\(digits(&$0, 4))" },
        Kind(type: "tinyint") { "\(Int8.random(in: .min ... .max, using: &$0))" },
        Kind(type: "bigint unsigned") { "\(UInt64.random(in: .min ... .max, using: &$0))" },
        Kind(type: "bigint") { "\(Int64.random(in: .min ... .max, using: &$0))" },
        Kind(type: "year") { "\(Int.random(in: 1901...2155, using: &$0))" },
        Kind(type: "time(3)") {
            "'\(Bool.random(using: &$0) ? "-" : "")\(Int.random(in: 0...838, using: &$0)):"
                + "\(Int.random(in: 10...59, using: &$0)):07.\(digits(&$0, 3))'"
        },
        Kind(type: "date") {
            Int.random(in: 0..<9, using: &$0) == 0
                ? "'0000-00-00'" : "'\(Int.random(in: 1000...9999, using: &$0))-02-28'"
        },
        Kind(type: "datetime(6)") {
            "'\(Int.random(in: 2000...2010, using: &$0))-12-31 23:59:59.\(digits(&$0, 6))'"
        },
        Kind(type: "timestamp(2) DEFAULT '2000-01-01 00:00:00'") {
            "'\(Int.random(in: 1990...2030, using: &$0))-07-03 12:30:01.\(digits(&$0, 2))'"
        },
        Kind(type: "binary(6)") { "x'\(digits(&$0, 12))'" },
        Kind(type: "varbinary(12)") { "x'\(digits(&$0, 2 * Int.random(in: 0...6, using: &$0)))'" },
    ]

    private static let columnsOfMariaDB: [Kind] = [
        Kind(type: "uuid") { uuid(&$0, digits: 32) },
        Kind(type: "inet6") {
            "'\(digits(&$0, 4)):\(digits(&$0, 3))::\(digits(&$0, 2)):\(digits(&$0, 4))'"
        },
    ]

    // MARK: Values

    private static func digits(_ random: inout SeededGenerator, _ count: Int) -> String {
        String((0..<count).map { _ in "0123456789".randomElement(using: &random) ?? "0" })
    }

    private static func decimal(_ random: inout SeededGenerator, _ most: Int) -> String {
        (Bool.random(using: &random) ? "-" : "") + "1"
            + digits(&random, Int.random(in: 0..<most, using: &random))
    }

    private static func uuid(_ random: inout SeededGenerator, digits count: Int) -> String {
        var text = String(
            (0..<count).map { _ in "0123456789abcdefABCDEF".randomElement(using: &random) ?? "0" })
        for place in [20, 16, 12, 8] {
            text.insert("-", at: text.index(text.startIndex, offsetBy: place))
        }
        return "'\(text)'"
    }

    private static let pieces = [
        "a", "A", "á", "Á", "ä", "e", "E", "é", "z", "Z", " ", "  ", "\t", "\\", "'", "\"", "ß",
        "ss", "SS", "æ", "ae", "😀", "日", "本", "\u{0}", "_", "%", "-", "0", "9", "10", "ı", "İ",
        "i", "ch", "ll", "dž", "\u{301}", "ö", "Ω", "я", "Я", "\u{FFFD}", "ก", "เ",
    ]

    /// A text in a character set, or some bytes of it where any are a text.
    private static func text(
        _ random: inout SeededGenerator, in characterSet: String
    ) -> String {
        func digits(_ bytes: some Sequence<UInt8>) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        if characterSet.hasPrefix("latin"), Int.random(in: 0..<4, using: &random) == 0 {
            let bytes = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            return "_\(characterSet) x'\(digits(bytes))'"
        }
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            text += pieces.randomElement(using: &random) ?? ""
        }
        return "CONVERT(_utf8mb4 x'\(digits(text.utf8))' USING \(characterSet))"
    }
}
