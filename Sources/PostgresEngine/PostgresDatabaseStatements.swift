import BackupCore

/// Statements for a database itself: what creates it, and what gives it the settings of the source.
enum PostgresDatabaseStatements {
    /// One `ALTER DATABASE … SET` of a source, for another name.
    struct Setting: Sendable {
        /// What is set, and its value as the catalog has it.
        let key: String
        let value: String
        /// The statement without the value, which may be a secret.
        let name: String
        /// All of it.
        let statement: String

        /// Whether a session loads something by it before its first statement, or does not begin at all.
        var loadsLibraries: Bool {
            ["session_preload_libraries", "local_preload_libraries"].contains(key.lowercased())
        }

        /// Whether it decides who sessions are that begin with it, and whether there are any.
        var isOfLogin: Bool {
            loadsLibraries || ["role", "session_authorization"].contains(key.lowercased())
        }

        /// Gives it to the database; what the server says where it refuses that.
        func refusal(on connection: PostgresConnection) async throws -> String? {
            do {
                try await connection.execute(statement)
                return nil
            } catch let error as PostgresError
                where !error.isOfServer
            {
                return "\(name): \(error.message)"
            }
        }
    }

    /// The source's encoding and locale, in the words of the target's version, which has them.
    static func creation(_ request: TargetRequest, targetMajor: Int) -> String {
        let source = request.databaseProperties
        var options = ["TEMPLATE = template0"]
        func option(_ name: String, _ key: String) {
            if let value = source[key] { options.append("\(name) = \(SQLText.literal(value))") }
        }
        option("ENCODING", "encoding")
        option("LC_COLLATE", "collate")
        option("LC_CTYPE", "ctype")
        if targetMajor >= 15 {
            switch source["locale_provider"] {
            case "i":
                options.append("LOCALE_PROVIDER = icu")
                option("ICU_LOCALE", "locale")
                if targetMajor >= 16 { option("ICU_RULES", "icu_rules") }
            case "b":
                options.append("LOCALE_PROVIDER = builtin")
                option("BUILTIN_LOCALE", "locale")
            default: options.append("LOCALE_PROVIDER = libc")
            }
        }
        return "CREATE DATABASE \(SQLText.identifier(request.database)) "
            + options.joined(separator: " ")
    }

    /// A list as it is stored, its quoted parts as strings: SQL has no empty identifier.
    ///
    /// Whatever else stands there is one string: nobody's statement.
    private static func list(_ value: String) -> String {
        let tokens = SQLTokens(value).tokens
        let isList = tokens.allSatisfy { $0.identifier != nil || $0.isComma || $0.isSpace }
        guard isList else { return SQLText.literal(value) }
        return tokens.filter { !$0.isSpace }.map { token in
            token.isComma ? ", " : SQLText.literal(token.identifier ?? "")
        }.joined()
    }

    /// The source's `ALTER DATABASE … SET` for the new name.
    static func settings(_ request: TargetRequest) -> [Setting] {
        settings(in: request.databaseProperties, of: request.database)
    }

    /// Those among a source's properties for a database.
    static func settings(
        in properties: [String: String], of database: String
    ) -> [Setting] {
        // Lists are stored quoted already, and must not be quoted as one value.
        let lists: Set<String> = [
            "search_path", "DateStyle", "temp_tablespaces", "session_preload_libraries",
            "local_preload_libraries", "unix_socket_directories",
        ]
        return properties.sorted { $0.key < $1.key }.compactMap { key, value -> Setting? in
            guard key.hasPrefix("setting.") else { return nil }
            let name = String(key.dropFirst("setting.".count))
            let isList = lists.contains(name) && !value.isEmpty
            let text = isList ? Self.list(value) : SQLText.literal(value)
            let path = name.split(separator: ".").map { SQLText.identifier(String($0)) }
            let start =
                "ALTER DATABASE \(SQLText.identifier(database)) "
                + "SET \(path.joined(separator: "."))"
            return Setting(
                key: name, value: value, name: start, statement: "\(start) TO \(text)")
        }
    }
}
