import BackupCore

/// What may make a day of a text or of a number, and a day that no calendar has where the session lets it.
extension MySQLComputation {
    /// Whether an expression may, with the type of its column where it is one's.
    ///
    /// What is not known to make none is taken for something that does.
    ///
    /// `days`: The columns that hold days, in small letters.
    static func computesDays(_ words: [MySQLTokens.Token], _ days: Set<String>) -> Bool {
        var readsDays = false
        var readsOthers = false
        for (index, word) in words.enumerated() {
            switch word.kind {
            case .quotedIdentifier:
                let isDay = days.contains((word.identifier ?? "").lowercased())
                if isDay { readsDays = true } else { readsOthers = true }
            case .string:
                if !isDay(word) { readsOthers = true }
            case .word:
                let keyword = word.keyword ?? ""
                if isNumber(keyword) {
                    readsOthers = true
                } else if !namesSet(words, index), !makesNoDay.contains(keyword) {
                    return true
                }
            default: continue
            }
        }
        // A day makes days of what it is compared with.
        return readsDays && readsOthers
    }

    private static func isNumber(_ keyword: String) -> Bool {
        keyword.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    }

    /// Whether a text is a day as people write it, which is one in every mode.
    private static func isDay(_ word: MySQLTokens.Token) -> Bool {
        let text = Array((word.literal ?? "").utf8)
        guard text.count >= 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-") else {
            return false
        }
        let digits = text[..<4] + text[5..<7] + text[8..<10]
        return digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && !text.withUnsafeBytes { MySQLCalendar.lacksDay($0) }
    }

    /// Whether a word is a character set or a collation.
    private static func namesSet(_ words: [MySQLTokens.Token], _ index: Int) -> Bool {
        if words[index].bytes.first == UInt8(ascii: "_") { return true }
        return index > 0 && ["COLLATE", "CHARSET", "SET"].contains(words[index - 1].keyword)
    }

    /// Words of columns and of expressions.
    private static let makesNoDay: Set<String> = [
        "GENERATED", "ALWAYS", "AS", "VIRTUAL", "STORED", "PERSISTENT", "NOT", "NULL", "COMMENT",
        "INVISIBLE",
        "UNIQUE", "KEY", "ENFORCED", "CHECK", "CHARACTER", "SET", "CHARSET", "COLLATE", "DEFAULT",
        "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "DECIMAL", "FLOAT",
        "DOUBLE", "REAL",
        "UNSIGNED", "SIGNED", "ZEROFILL", "BIT", "CHAR", "VARCHAR", "BINARY", "VARBINARY",
        "TINYTEXT", "TEXT",
        "MEDIUMTEXT", "LONGTEXT", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "JSON", "UUID",
        "INET4", "INET6",
        "ARRAY", "TRUE", "FALSE", "AND", "OR", "XOR", "IS", "IN", "BETWEEN", "LIKE", "ESCAPE",
        "REGEXP", "RLIKE",
        "DIV", "MOD", "CASE", "WHEN", "THEN", "ELSE", "END", "IF", "IFNULL", "NULLIF", "COALESCE",
        "ISNULL", "CAST",
        "CONVERT", "USING", "ABS", "CEIL", "CEILING", "FLOOR", "ROUND", "TRUNCATE", "SIGN", "SQRT",
        "POW", "POWER",
        "CONCAT", "CONCAT_WS", "LOWER", "UPPER", "LCASE", "UCASE", "TRIM", "LTRIM", "RTRIM",
        "LEADING", "TRAILING",
        "BOTH", "FROM", "LEFT", "RIGHT", "SUBSTR", "SUBSTRING", "SUBSTRING_INDEX", "REPLACE",
        "REVERSE", "REPEAT",
        "LPAD", "RPAD", "LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH", "LOCATE",
        "INSTR", "HEX", "UNHEX",
        "MD5", "SHA", "SHA1", "SHA2", "CRC32", "GREATEST", "LEAST", "REGEXP_LIKE",
        "JSON_VALID", "JSON_EXTRACT", "JSON_UNQUOTE", "JSON_LENGTH", "JSON_TYPE", "JSON_KEYS",
        "JSON_CONTAINS",
    ]
}
