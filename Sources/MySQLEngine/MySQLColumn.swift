import BackupCore
import Foundation

/// A column: how it is selected, and what becomes of its values.
struct MySQLColumn: Sendable {
    let column: Column
    let encoding: MySQLEncoding
    /// What is selected so that the text is exact.
    let selection: String
    let isNullable: Bool
    /// Whether two values never share one text, so that the column may identify a row.
    let mayIdentify: Bool
    /// How a table can be divided by its numbers, if it can.
    let scale: MySQLKeyScale?
    /// How a table can be divided between its values, if it can.
    let order: MySQLKeyOrder?
    /// Whether its values are labels, and one that was never allowed has none.
    let isChoice: Bool
    /// Whether it holds texts of ASCII, which are their bytes.
    let isASCII: Bool
    /// The places that its labels are written by; nil where they are written themselves.
    let places: MySQLPlaces?
    /// Whether the server counts in it by itself.
    let counts: Bool
    /// Whether it tells until when a row was (MariaDB).
    let isRowEnd: Bool

    /// A row of `MySQLCatalog.columns`: name, type, the type's first word, position, extra, character set,
    /// nullability, collation, table, expression.
    ///
    /// `isBlurred`: Whether labels are equal in their collation, or one of a set is empty: then places tell them apart.
    /// - Throws: `BackupError.serverRefused` for a type that nobody knows how to read.
    init(_ row: [String?], of table: TableName, isBlurred: Bool = false) throws {
        let name = row[0] ?? ""
        let type = row[1] ?? ""
        let kind = (row[2] ?? "").lowercased()
        let extra = (row[4] ?? "").uppercased()
        let isCoded = row[5].map { !Self.exactCharacterSets.contains($0) } ?? false
        column = Column(
            name: name, type: isCoded ? "\(type)\(Self.codedMark)\(row[5] ?? "")" : type,
            number: Int(row[3] ?? "") ?? 0,
            // DEFAULT_GENERATED is an ordinary default.
            isGenerated: ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"].contains {
                extra.contains($0)
            })
        guard let encoding = Self.encodings[kind] else {
            throw BackupError(
                .serverRefused,
                "column \(name) of \(table) has the type \(type), which is not known",
                hint:
                    "Leave its rows out with --exclude-tablename, or use a newer version of this program."
            )
        }
        self.encoding = isCoded && encoding == .text ? .coded : encoding
        let quoted = MySQLText.identifier(name)
        isASCII = row[5] == "ascii" && encoding == .text && kind != "enum" && kind != "set"
        selection =
            switch kind {
            // What of its bytes is ASCII the reader sees faster than the server.
            case _ where isASCII: "CAST(\(quoted) AS BINARY)"
            // A number that is no label is taken for the place of one, or for the sum of those of a set.
            case "enum" where isBlurred, "set" where isBlurred:
                "CONCAT('\(Self.zeros(besides: type))', CAST(\(quoted) AS UNSIGNED))"
            // A value that was never allowed has the text of the empty label; a number that is no label is
            // taken for the place of one.
            case "enum" where Self.labels(ofType: type).contains(ExactText("")):
                """
                IF(\(quoted) + 0 = 0, '\(Self.place0(besides: type))', \
                \(isCoded ? Self.coded(quoted, characterSet: row[5] ?? "") : quoted))
                """
            case _ where isCoded: Self.coded(quoted, characterSet: row[5] ?? "")
            // Its bytes, which are UTF-8 or none: converted they would be question marks where they are none.
            case _
            where encoding == .text && Self.partsOfUTF8.contains(row[5] ?? "") && kind != "enum"
                && kind != "set":
                "CAST(\(quoted) AS BINARY)"
            // As text a FLOAT has six digits; as a DOUBLE all that it holds.
            case "float": "\(quoted) * 1.0e0"
            // The client library knows no such type.
            case "vector": "CAST(\(quoted) AS BINARY)"
            default: quoted
            }
        places =
            isBlurred
            ? MySQLPlaces(
                prefix: Self.zeros(besides: type),
                labels: MySQLTokens(type).tokens.compactMap(\.literal), isSet: kind == "set") : nil
        isNullable = row[6] != "NO"
        scale = MySQLKeyScale(kind: kind)
        order = MySQLKeyOrder(kind: kind, characterSet: row[5], collation: row[7])
        isChoice = kind == "enum"
        counts = extra.contains("AUTO_INCREMENT")
        // No expression of anybody's is this.
        isRowEnd = row.count > 9 && row[9] == "ROW END"
        // One with the empty label alone has the text of one without any.
        mayIdentify =
            !column.isGenerated
            && (kind != "set" || !Self.labels(ofType: type).contains(ExactText("")))
    }

    /// How values of a type are written, given in the server's words; nil for one that is not known.
    static func encoding(ofType type: String) -> MySQLEncoding? {
        guard codedSet(ofType: type) == nil else { return .coded }
        return encodings[String(type.prefix { $0.isLetter || $0.isNumber }).lowercased()]
    }

    /// What stands before a number so that no label is like it.
    static func zeros(besides type: String) -> String {
        let labels = MySQLTokens(type).tokens.compactMap(\.literal)
        var text = ""
        while labels.contains(where: {
            $0.hasPrefix(text) && !$0.isEmpty
                && $0.utf8.dropFirst(text.utf8.count).allSatisfy { (0x30...0x39).contains($0) }
        }) {
            text += "0"
        }
        return text
    }

    /// Whether labels may be told apart by their places only, as far as the type tells: in some collation they are equal.
    static func mayBlur(_ type: String) -> Bool {
        if isSetWithEmptyLabel(type) { return true }
        let labels = MySQLTokens(type).tokens.compactMap(\.literal)
        let folded = labels.map {
            let plain = $0.precomposedStringWithCompatibilityMapping
                .folding(options: [.diacriticInsensitive, .widthInsensitive], locale: nil)
                .uppercased()
            return plain.applyingTransform(.hiraganaToKatakana, reverse: false) ?? plain
        }
        return Set(folded.map(ExactText.init)).count < labels.count
    }

    /// Whether a type is a set whose values are always written by the places of its labels: one of these is empty.
    static func isSetWithEmptyLabel(_ type: String) -> Bool {
        type.lowercased().hasPrefix("set(") && labels(ofType: type).contains(ExactText(""))
    }

    /// `0`, or `00` where there is a label `0`.
    private static func place0(besides type: String) -> String {
        var text = "0"
        while type.contains("'\(text)'") { text += "0" }
        return text
    }

    /// The labels of an enumeration, or of a set, given in the server's words.
    static func labels(ofType type: String) -> Set<ExactText> {
        Set(MySQLTokens(type).tokens.compactMap(\.literal).map(ExactText.init))
    }

    /// Behind the type of a column with a character set that UTF-8 does not hold exactly.
    private static let codedMark = " character set "

    /// The character set of such a column; labels may hold the same words, but nothing ends with one.
    static func codedSet(ofType type: String) -> String? {
        let set = type.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed()
        guard !set.isEmpty, type.dropLast(set.count).hasSuffix(codedMark) else { return nil }
        return String(set)
    }

    /// Several characters of such a set may be one of UTF-8, and bytes may be none.
    private static func coded(_ name: String, characterSet: String) -> String {
        var looksLikeBytes = "LEFT(CAST(\(name) AS BINARY), 2) = x'5c78'"
        // The one set that has another backslash, which comes back.
        if characterSet == "sjis" {
            looksLikeBytes += " OR LEFT(CAST(\(name) AS BINARY), 3) = x'815f78'"
        }
        return """
            IF(CAST(\(name) AS BINARY) <=> CAST(CONVERT(CONVERT(\(name) USING utf8mb4) USING \(characterSet)) AS BINARY) \
            AND NOT COALESCE(\(looksLikeBytes), FALSE), CONVERT(\(name) USING utf8mb4), \
            CONCAT('\\\\x', LOWER(HEX(\(name)))))
            """
    }

    /// Each of their characters is one of UTF-8, and comes back as it was.
    ///
    /// Not ASCII: MariaDB takes any byte for it.
    private static let exactCharacterSets: Set<String> = [
        "utf8mb4", "utf8mb3", "utf8", "ucs2", "utf16", "utf16le", "utf32", "latin1",
    ]

    /// Those whose bytes are UTF-8, but that the server converts.
    private static let partsOfUTF8: Set<String> = ["utf8mb3", "utf8"]

    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/data-types.html>,
    ///   <https://mariadb.com/kb/en/data-types/>
    private static let encodings: [String: MySQLEncoding] = {
        let kinds: [(MySQLEncoding, String)] = [
            (
                .plain,
                "tinyint smallint mediumint int bigint decimal float double year date time datetime"
            ),
            (.bits, "bit"), (.instant, "timestamp"),
            (
                .text,
                "char varchar tinytext text mediumtext longtext enum set json inet4 inet6 uuid xmltype"
            ),
            (
                .binary,
                "binary varbinary tinyblob blob mediumblob longblob vector geometry point linestring "
                    + "polygon multipoint multilinestring multipolygon geomcollection geometrycollection"
            ),
        ]
        var encodings: [String: MySQLEncoding] = [:]
        for (encoding, words) in kinds {
            for word in words.split(separator: " ") { encodings[String(word)] = encoding }
        }
        return encodings
    }()
}
