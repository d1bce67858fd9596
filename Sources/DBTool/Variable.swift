import BackupCore

/// The variables that stand for options, in the environment or in `.env`.
struct Variable {
    let name: String
    /// The option that comes before it, without dashes.
    let option: String
    let meaning: String

    private init(_ name: String, _ option: String, _ meaning: String? = nil) {
        self.name = name
        self.option = option
        self.meaning = meaning ?? "As --\(option), which comes before it."
    }

    /// What the names of all begin with.
    static let prefix = "DB_"
    /// What other programs call the variable of the database, and this one does not.
    static let othersDatabase = "DB_DATABASE"

    static let all = [
        Variable("DB_HOST", "host"), Variable("DB_PORT", "port"), Variable("DB_USER", "user"),
        Variable("DB_PASSWORD", "password"), Variable("DB_NAME", "database"),
        Variable("DB_ENGINE", "db"), Variable("DB_SSLMODE", "sslmode"),
        Variable("DB_SSLROOTCERT", "sslrootcert"), Variable("DB_SSLCERT", "sslcert"),
        Variable("DB_SSLKEY", "sslkey"), Variable("DB_BACKUP_PATH", "path"),
        Variable("DB_PG_DUMP", "pg-dump"), Variable("DB_LOG_FILE", "log-file"),
        Variable(
            "DB_DRILL_URL", "url",
            "The server for drills; --url, --host, --port, --user come before."),
        Variable("DB_LOG_FORMAT", "log-format"), Variable("DB_LOG_LEVEL", "log-level"),
    ]

    /// Names that begin as these do and are none of them, in order.
    static func unknown(among names: some Sequence<String>) -> [String] {
        names.filter { name in
            name.hasPrefix(prefix) && !all.contains { $0.name == name }
        }.sorted()
    }

    /// The name that somebody meant who wrote another one: that of the option, or the nearest.
    static func meant(by name: String) -> String? {
        let option = name.dropFirst(prefix.count).lowercased().replacing("_", with: "-")
        return all.first { $0.option == option }?.name
            ?? Nearest.names(to: name, among: all.map(\.name)).first
    }
}
