import BackupCore

/// A column: how it is selected, and what becomes of its values.
struct MySQLColumn: Sendable {
    let column: Column
    let encoding: MySQLEncoding
    /// What is selected so that the text is exact.
    let selection: String
    let isNullable: Bool
    /// Whether two values never share one text, so that the column may identify a row.
    let mayIdentify: Bool
    /// Whether its values are whole numbers.
    let isInteger: Bool

    /// A row of `MySQLCatalog.columns`: name, type, the type's first word, position, extra, character set,
    /// nullability.
    ///
    /// - Throws: `BackupError.serverRefused` for a type that nobody knows how to read.
    init(_ row: [String?], of table: TableName) throws {
        let name = row[0] ?? ""
        let type = row[1] ?? ""
        let kind = (row[2] ?? "").lowercased()
        let extra = (row[4] ?? "").uppercased()
        column = Column(
            name: name, type: type, number: Int(row[3] ?? "") ?? 0,
            // DEFAULT_GENERATED is an ordinary default.
            isGenerated: ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"].contains {
                extra.contains($0)
            })
        guard let encoding = Self.encodings[kind] else {
            throw BackupError(
                .serverRefused,
                "column \(name) of \(table) has the type \(type), which is not known",
                hint: "Leave the table out with --exclude, or use a newer version of this program.")
        }
        self.encoding = encoding
        let quoted = MySQLText.identifier(name)
        // As text a FLOAT has six digits; as a DOUBLE all that it holds.
        selection = kind == "float" ? "\(quoted) * 1.0e0" : quoted
        isNullable = row[6] != "NO"
        isInteger = Self.integers.contains(kind)
        mayIdentify =
            encoding == .text ? Self.isExact(kind, type, characterSet: row[5]) : !column.isGenerated
    }

    private static func isExact(_ kind: String, _ type: String, characterSet: String?) -> Bool {
        switch kind {
        // A value that was never allowed has the text of the empty label.
        case "enum", "set": !type.contains("(''") && !type.contains(",''")
        case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
            characterSet.map(exactCharacterSets.contains) ?? false
        default: true
        }
    }

    /// Each of their characters is one of UTF-8, and comes back as it was.
    private static let exactCharacterSets: Set<String> = [
        "utf8mb4", "utf8mb3", "utf8", "ucs2", "utf16", "utf16le", "utf32", "ascii", "latin1",
    ]

    private static let integers: Set<String> = [
        "tinyint", "smallint", "mediumint", "int", "bigint",
    ]

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
