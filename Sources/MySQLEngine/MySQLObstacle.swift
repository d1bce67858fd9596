import BackupCore

/// What a server of the other product would not understand of a definition.
struct MySQLObstacle {
    /// Whether that server is MariaDB.
    let isMariaDB: Bool
    /// What that server has, in small letters.
    let collations: Set<String>
    let engines: Set<String>

    /// What tables of MySQL say and MariaDB does not have, writes in other words or passes over.
    private static let wordsOfMySQL = [
        "SRID": "binds a column to one SRID",
        "INVISIBLE": "has INVISIBLE columns or indexes",
        "ENFORCED": "has a condition that is NOT ENFORCED",
        "ENCRYPTION": "says what becomes of its file by ENCRYPTION",
    ]

    /// The same of tables of MariaDB.
    private static let wordsOfMariaDB = [
        "VERSIONING": "keeps its history by SYSTEM VERSIONING",
        "PERIOD": "has a PERIOD",
        "OVERLAPS": "has a key WITHOUT OVERLAPS",
        "INVISIBLE": "has INVISIBLE columns",
        "IGNORED": "has IGNORED indexes",
        "COMPRESSED": "has COMPRESSED columns",
        "NEXTVAL": "counts by a sequence (NEXTVAL)",
    ]

    private static let types: Set<String> = [
        "UUID", "INET4", "INET6", "XMLTYPE", "VECTOR", "GEOMCOLLECTION",
    ]

    /// The first obstacle, in words.
    func first(in objects: [MySQLObject]) -> String {
        for object in objects {
            if let obstacle = obstacle(in: object) { return obstacle }
        }
        let first = objects.first.map { Self.place(of: $0) } ?? "it"
        return "they define \(first) in words of their own"
    }

    private func obstacle(in object: MySQLObject) -> String? {
        let place = Self.place(of: object)
        if !isMariaDB, [.sequence, .package, .packageBody].contains(object.kind) {
            return "it has no \(object.kind.rawValue.lowercased())s, and \(place) is one"
        }
        let words = Self.words(of: Array(object.statement.utf8))
        for index in words.indices {
            if let obstacle = missing(words, at: index) {
                return "it has no \(obstacle), which \(place) uses"
            }
            guard object.kind == .table else { continue }
            if let obstacle = strange(words, at: index) {
                return "\(place) \(obstacle), which it does not have or means otherwise"
            }
        }
        return nil
    }

    private static func place(of object: MySQLObject) -> String {
        "\(object.kind.rawValue.lowercased()) \(object.name)"
    }

    // MARK: Words

    /// Everything that means something to a server, and what only some of them read besides: `/*!80003 … */` of MySQL,
    /// `/*M!100301 … */` of MariaDB.
    private static func words(of bytes: [UInt8]) -> [MySQLTokens.Token] {
        MySQLTokens(bytes: bytes).tokens.filter(\.isCode).flatMap {
            token -> [MySQLTokens.Token] in
            guard token.kind == .executableComment else { return [token] }
            let inside = token.bytes.drop { $0 != UInt8(ascii: "!") }.dropFirst()
                .drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return words(of: Array(inside.dropLast(2)))
        }
    }

    /// What a name stands for that the server does not know.
    private func missing(_ words: [MySQLTokens.Token], at index: Int) -> String? {
        let value = words[(index + 1)...].first { !$0.isSign("=") }?.identifier ?? ""
        switch words[index].keyword {
        case "COLLATE" where !collations.contains(value.lowercased()): return "collation \(value)"
        case "ENGINE" where !engines.contains(value.lowercased()):
            return "storage engine \(value)"
        default: return nil
        }
    }

    /// What a table does by a word that the other product's tables do not have.
    private func strange(_ words: [MySQLTokens.Token], at index: Int) -> String? {
        guard let keyword = words[index].keyword else { return nil }
        let before = index > 0 ? words[index - 1] : nil
        // A whole table may be compressed in both: ROW_FORMAT=COMPRESSED.
        if before?.isSign("=") == true { return nil }
        // Behind a column's name: functions may have the same.
        if Self.types.contains(keyword), before?.kind == .quotedIdentifier {
            return "has a column of the type \(keyword)"
        }
        if isMariaDB, keyword == "KEY", Self.isOfExpression(words[(index + 1)...]) {
            return "has a key on an expression"
        }
        return (isMariaDB ? Self.wordsOfMySQL : Self.wordsOfMariaDB)[keyword]
    }

    /// Whether what follows `KEY` lists an expression: in parentheses that are no length behind a name.
    private static func isOfExpression(_ words: ArraySlice<MySQLTokens.Token>) -> Bool {
        guard let opening = words.firstIndex(where: { $0.isSign("(") }) else { return false }
        var depth = 0
        for index in opening..<words.endIndex {
            if words[index].isSign("(") {
                if depth == 1, words[index - 1].isSign("(") || words[index - 1].isSign(",") {
                    return true
                }
                depth += 1
            } else if words[index].isSign(")") {
                depth -= 1
                if depth == 0 { return false }
            }
        }
        return false
    }
}

extension MySQLObstacle {
    /// Asks the server what it has.
    init(_ server: MySQLServer, _ connection: MySQLConnection) async throws {
        func names(_ sql: String) async throws -> Set<String> {
            Set(try await connection.rows(sql).compactMap { $0[0]?.lowercased() })
        }
        self.init(
            isMariaDB: server.isMariaDB,
            collations: try await names(
                "SELECT COLLATION_NAME FROM information_schema.COLLATIONS"),
            engines: try await names("SELECT ENGINE FROM information_schema.ENGINES"))
    }
}
