import BackupCore

/// What the other product would not understand of a definition.
enum MySQLObstacle {
    /// The first one, in words.
    static func first(
        in objects: [MySQLObject], for server: MySQLServer, _ connection: MySQLConnection
    ) async throws -> String {
        let collations = try await names(
            "SELECT COLLATION_NAME FROM information_schema.COLLATIONS", connection)
        let engines = try await names("SELECT ENGINE FROM information_schema.ENGINES", connection)
        for object in objects {
            let words = MySQLTokens(object.statement).tokens.filter(\.isCode)
            let place = "\(object.kind.rawValue.lowercased()) \(object.name)"
            if server.product != .mariaDB,
                [.sequence, .package, .packageBody].contains(object.kind)
            {
                return "it has no \(object.kind.rawValue.lowercased())s, and \(place) is one"
            }
            for (index, word) in words.enumerated() {
                guard let keyword = word.keyword else { continue }
                let value = words.dropFirst(index + 1).first { !$0.isSign("=") }?.identifier
                switch keyword {
                case "COLLATE" where !collations.contains(value?.lowercased() ?? ""):
                    return "it has no collation \(value ?? ""), which \(place) uses"
                case "ENGINE" where !engines.contains(value?.lowercased() ?? ""):
                    return "it has no storage engine \(value ?? ""), which \(place) uses"
                case "VERSIONING", "PERIOD", "SRID":
                    return "\(place) uses \(keyword), which it does not have or means otherwise"
                case "UUID", "INET4", "INET6", "XMLTYPE", "VECTOR":
                    // As a type, behind a column's name: functions may have the same.
                    guard index > 0, words[index - 1].kind == .quotedIdentifier else { continue }
                    return "\(place) has a column of the type \(keyword), which it does not have"
                default: continue
                }
            }
        }
        let first = objects.first.map { "\($0.kind.rawValue.lowercased()) \($0.name)" } ?? "it"
        return "they define \(first) in words of their own"
    }

    private static func names(
        _ sql: String, _ connection: MySQLConnection
    ) async throws -> Set<String> {
        Set(try await connection.rows(sql).compactMap { $0[0]?.lowercased() })
    }
}
