import BackupCore
import MySQLEngine
import PostgresEngine

/// Where each setting of a connection comes from, as findings; never a password.
struct SettingOrigins {
    private let wiring: Wiring
    private let isPostgres: Bool
    private let libpq: [String: PostgresOrigin]
    private let url: [String: String]

    init(_ wiring: Wiring) {
        self.wiring = wiring
        if case .mysql = try? wiring.server(password: nil) {
            isPostgres = false
            libpq = [:]
            url = wiring.options.url.map(Self.parts) ?? [:]
        } else {
            let postgres = wiring.postgresSettings(password: nil)
            isPostgres = true
            libpq = Dictionary(postgres.origins().map { ($0.keyword, $0) }) { first, _ in first }
            url = postgres.partsOfURL()
        }
    }

    /// Those of a `mysql://` URL, by libpq's words.
    private static func parts(ofURL url: String) -> [String: String] {
        guard let settings = try? MySQLSettings(url: url) else { return [:] }
        let parts: [(String, String?)] = [
            ("host", settings.host ?? settings.socket), ("port", settings.port.map(String.init)),
            ("dbname", settings.database), ("user", settings.user),
            ("password", settings.password?.unsafeText),
            (
                "sslmode",
                ServerSettings.url(url, names: ["sslmode", "ssl-mode"])
                    ? settings.tls.rawValue : nil
            ),
            ("sslrootcert", settings.authorities), ("sslcert", settings.certificate),
            ("sslkey", settings.key),
        ]
        return Dictionary(
            uniqueKeysWithValues: parts.compactMap { name, value in value.map { (name, $0) } })
    }

    /// Those that have a value, or that people ask for.
    func findings(_ repository: RepositoryOptions) -> [Finding] {
        let options = wiring.options
        let settings = [
            setting("host", "host", options.host, "DB_HOST", isInURL: true),
            setting("port", "port", options.port, "DB_PORT", isInURL: true),
            setting("database", "dbname", options.database, "DB_NAME", isInURL: true),
            setting("user", "user", options.user, "DB_USER", isInURL: true),
            password, setting("sslmode", "sslmode", options.sslmode, "DB_SSLMODE"),
            optional("sslrootcert", "sslrootcert", options.sslrootcert, "DB_SSLROOTCERT"),
            optional("sslcert", "sslcert", options.sslcert, "DB_SSLCERT"),
            optional("sslkey", "sslkey", options.sslkey, "DB_SSLKEY"),
            isPostgres ? optional("pg-dump", "", options.pgDump, "DB_PG_DUMP") : nil,
            wiring.repositoryPath(repository).map { finding("path", $0.value, $0.place) },
        ]
        return settings.compactMap(\.self) + dangers
    }

    // MARK: One setting

    private func setting(
        _ name: String, _ keyword: String, _ flag: String?, _ variable: String,
        isInURL: Bool = false
    ) -> Finding {
        guard let found = found(keyword, flag, variable, isInURL: isInURL) else {
            guard isPostgres else {
                return name == "sslmode"
                    ? finding(name, "prefer", "default")
                    : finding(name, "as ~/.my.cnf says", "or the client library's default")
            }
            return finding(name, Self.standing[name] ?? "not given", "default")
        }
        return finding(name, found.value, found.place)
    }

    private func optional(
        _ name: String, _ keyword: String, _ flag: String?, _ variable: String
    ) -> Finding? {
        found(keyword, flag, variable, isInURL: false).map { finding(name, $0.value, $0.place) }
    }

    /// What libpq does without a value.
    private static let standing = [
        "host": "this machine's socket", "database": "that of the user's name",
    ]

    /// In the order in which `Wiring` looks.
    private func found(
        _ keyword: String, _ flag: String?, _ variable: String, isInURL: Bool
    ) -> (value: String, place: String)? {
        let isWhole = wiring.options.url != nil && (isInURL || url[keyword] != nil)
        let own = isWhole ? flag.map { ($0, "flag") } : wiring.settings.found(flag, variable)
        if let own { return own }
        if let value = url[keyword] { return (value, "--url") }
        guard let origin = libpq[keyword], let value = origin.value, let place = origin.place
        else { return nil }
        return (value, place)
    }

    private var password: Finding {
        let found = found("password", wiring.options.password, "DB_PASSWORD", isInURL: true)
        guard let place = found?.place ?? libpq["password"]?.place else {
            return Finding(
                .settings, "password", .ok,
                isPostgres ? "not given" : "as ~/.my.cnf says (or none)")
        }
        let isSeen = ["flag", "--url"].contains(place)
        return Finding(
            .settings, "password", isSeen ? .note : .ok,
            isSeen ? "\(place), where other users of this machine can see it" : "from \(place)")
    }

    private func finding(_ name: String, _ value: String, _ place: String) -> Finding {
        Finding(.settings, name, .ok, "\(value) (\(place))")
    }

    // MARK: What the files of settings are like

    private var dangers: [Finding] {
        var findings = wiring.settings.lineNotes.map { Finding(.settings, "env file", .note, $0) }
        if let text = wiring.settings.unknownNamesText {
            findings.append(Finding(.settings, "env file", .note, text))
        }
        if let file = wiring.settings.openFile,
            wiring.settings.found(nil, "DB_PASSWORD")?.place.contains(" in ") == true
        {
            findings.append(
                Finding(
                    .settings, "env file", .warning,
                    "\(file) holds a password, and other users of this machine may read it",
                    fix: ["-- chmod 600 \(file)"]))
        }
        if isPostgres, let file = PostgresSettings.ignoredPasswordFile {
            findings.append(
                Finding(
                    .settings, "password file", .warning,
                    "libpq ignores \(file), because other users of this machine may read it",
                    fix: ["-- chmod 600 \(file)"]))
        }
        return findings
    }
}
