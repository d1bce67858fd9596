import BackupCore
import Foundation
import MySQLEngine
import PostgresEngine
import Terminal

/// Turns options and settings into engines and repositories.
struct Wiring {
    let options: ConnectionOptions
    let settings: Settings
    /// One for all that the command connects to: whoever is asked for a password has heard it already.
    private let exposure = ExposureNotice()

    init(_ options: ConnectionOptions) throws {
        self.options = options
        settings = try Settings(options)
    }

    /// The database that the user named, if any.
    var namedDatabase: String? { settings.value(options.database, "DB_NAME") }

    /// The same where a URL is the source's: variables do not apply beside it.
    var database: String? { options.url == nil ? namedDatabase : options.database }

    /// The database that settings lead to, named or not.
    var sourceDatabase: String? { try? server(password: nil).databaseName }

    /// The product that the user chose: by name, or by the scheme of the URL.
    ///
    /// - Throws: `BackupError.usage` for one that is not known, and where both differ.
    var product: ConnectionOptions.Engine {
        get throws {
            let inURL = try options.url.map(ServerSettings.knownEngine)
            if let chosen = options.db {
                guard let inURL, inURL != chosen else { return chosen }
                throw BackupError(
                    .usage, "--db \(chosen.rawValue) does not go with that URL",
                    hint: "Leave out one of them.")
            }
            if let inURL { return inURL }
            guard let name = settings.value(nil, "DB_ENGINE") else { return .postgres }
            guard let known = ConnectionOptions.Engine(name: name) else {
                throw BackupError(
                    .usage, "engine \(name) is not known",
                    hint: "Known are postgres and mysql, which speaks to MariaDB as well.")
            }
            return known
        }
    }

    /// The product that the user named in any way, as `metadata.json` calls it; nil where it is only the usual one.
    var namedProduct: String? {
        let isNamed =
            options.db != nil || options.url != nil || settings.value(nil, "DB_ENGINE") != nil
        // One that is not known chooses no backup.
        return isNamed ? (try? product)?.rawValue : nil
    }

    /// How to reach the server that the user chose.
    ///
    /// - Throws: `BackupError.usage`.
    func server(password: String?) throws -> ServerSettings {
        switch try product {
        case .postgres: .postgres(postgresSettings(password: password))
        case .mysql: .mysql(try mysqlSettings(password: password))
        }
    }

    /// The engine that the user chose.
    ///
    /// - Throws: `BackupError.usage`.
    func engine(password: String? = nil) throws -> any InteractiveEngine {
        try server(password: password).engine
    }

    /// The engine of a backup, for what needs no server; that which the user chose for a product that is not known.
    ///
    /// - Throws: `BackupError.usage`.
    func engine(of metadata: Metadata) throws -> any InteractiveEngine {
        switch ConnectionOptions.Engine(rawValue: metadata.engine) {
        case .postgres: ServerSettings.postgres(postgresSettings(password: nil)).engine
        case .mysql: ServerSettings.mysql(MySQLSettings()).engine
        case nil: try engine()
        }
    }

    /// Runs `body` with the engine; asks for a password on a terminal when the server wants one.
    func withEngine<Result>(
        _ body: (any InteractiveEngine) async throws -> Result
    ) async throws -> Result {
        try await withEngine { engine, _ in try await body(engine) }
    }

    /// Runs `body` with the engine and the password that somebody had to type.
    func withEngine<Result>(
        _ body: (any InteractiveEngine, _ password: String?) async throws -> Result
    ) async throws -> Result {
        try await asking(body) { try engine(password: $0) }
    }

    /// Runs `body` with the server for drills: of flags, else of `DB_DRILL_URL`, else the usual one.
    func withDrillEngine<Result>(
        _ body: (any InteractiveEngine) async throws -> Result
    ) async throws -> Result {
        let flags = [options.url, options.host, options.port, options.user]
        let url = settings.value(nil, "DB_DRILL_URL")
        guard let url, flags.allSatisfy({ $0 == nil }) else { return try await withEngine(body) }
        return try await asking { engine, _ in
            try await body(engine)
        } _: { password in
            let password = password.map { Secret($0) }
            if try ServerSettings.knownEngine(ofURL: url) == .mysql {
                var mysql = try MySQLSettings(url: url)
                mysql.password = password ?? mysql.password ?? options.password.map { Secret($0) }
                try setTLS(of: &mysql) { flag, _, _ in flag }
                mysql.exposure = exposure
                return ServerSettings.mysql(mysql).engine
            }
            var postgres = PostgresSettings()
            postgres.url = Secret(url)
            let hasPassword = postgres.partsOfURL()["password"] != nil
            postgres.password =
                password ?? (hasPassword ? nil : options.password.map { Secret($0) })
            setTLS(of: &postgres) { flag, _, _ in flag }
            postgres.exposure = exposure
            postgres.pgDump = settings.value(options.pgDump, "DB_PG_DUMP")
            return ServerSettings.postgres(postgres).engine
        }
    }

    private func asking<Result>(
        _ body: (any InteractiveEngine, _ password: String?) async throws -> Result,
        _ engine: (_ password: String?) throws -> any InteractiveEngine
    ) async throws -> Result {
        do {
            return try await body(engine(nil), nil)
        } catch let error as BackupError where error.code == .passwordRequired {
            guard let password = try TerminalOutput.askForPassword("Password: ") else {
                throw error
            }
            return try await body(engine(password), password)
        }
    }

    /// Asks the engine what a backup would meet.
    func check(_ request: SnapshotRequest) async throws -> SourceCheck {
        try await withEngine { try await $0.check(request) }
    }

    // MARK: TLS

    /// What is set beside a URL, of a flag, of a variable, and of parameters that the URL may have instead.
    private typealias TLSValue = (
        _ flag: String?, _ variable: String, _ parameters: [String]
    ) -> String?

    /// Of a flag; else of the URL, which says nothing that a variable changes; else of the variable.
    private func tlsValue(
        _ flag: String?, _ variable: String, _ parameters: [String]
    ) -> String? {
        ServerSettings.url(options.url, names: parameters) ? flag : settings.value(flag, variable)
    }

    private func setTLS(of postgres: inout PostgresSettings, to value: TLSValue) {
        postgres.sslMode = value(options.sslmode, "DB_SSLMODE", ["sslmode"])
        postgres.sslRootCertificate = value(
            options.sslrootcert, "DB_SSLROOTCERT", ["sslrootcert"])
        postgres.sslCertificate = value(options.sslcert, "DB_SSLCERT", ["sslcert"])
        postgres.sslKey = value(options.sslkey, "DB_SSLKEY", ["sslkey"])
    }

    /// Over those of the URL, which are read already.
    private func setTLS(of mysql: inout MySQLSettings, to value: TLSValue) throws {
        if let mode = value(options.sslmode, "DB_SSLMODE", ["sslmode", "ssl-mode"]) {
            mysql.tls = try MySQLSettings.TLS(mode: mode)
        }
        mysql.authorities =
            value(options.sslrootcert, "DB_SSLROOTCERT", ["sslrootcert", "ssl-ca"])
            ?? mysql.authorities
        mysql.certificate =
            value(options.sslcert, "DB_SSLCERT", ["sslcert", "ssl-cert"]) ?? mysql.certificate
        mysql.key = value(options.sslkey, "DB_SSLKEY", ["sslkey", "ssl-key"]) ?? mysql.key
    }

    // MARK: Settings of a server

    func postgresSettings(password: String?) -> PostgresSettings {
        var postgres = PostgresSettings()
        postgres.url = options.url.map { Secret($0) }
        postgres.database = namedDatabase
        postgres.host = settings.value(options.host, "DB_HOST")
        postgres.port = settings.value(options.port, "DB_PORT")
        postgres.user = settings.value(options.user, "DB_USER")
        postgres.password =
            (password ?? settings.value(options.password, "DB_PASSWORD")).map { Secret($0) }
        if options.url != nil {
            // A URL is whole: only flags beside it change its parts.
            postgres.database = options.database
            postgres.host = options.host
            postgres.port = options.port
            postgres.user = options.user
            postgres.password = (password ?? options.password).map { Secret($0) }
        }
        setTLS(of: &postgres, to: tlsValue)
        postgres.exposure = exposure
        postgres.pgDump = settings.value(options.pgDump, "DB_PG_DUMP")
        return postgres
    }

    func mysqlSettings(password: String?) throws -> MySQLSettings {
        var mysql = try options.url.map { try MySQLSettings(url: $0) } ?? MySQLSettings()
        // A URL is whole: only flags beside it change its parts.
        func value(_ flag: String?, _ variable: String) -> String? {
            options.url == nil ? settings.value(flag, variable) : flag
        }
        mysql.database = value(options.database, "DB_NAME") ?? mysql.database
        if let host = value(options.host, "DB_HOST") {
            (mysql.host, mysql.socket) = host.hasPrefix("/") ? (nil, host) : (host, nil)
        }
        if let text = value(options.port, "DB_PORT") {
            guard let port = UInt16(text) else {
                let place = options.port == nil ? settings.found(nil, "DB_PORT")?.place : nil
                let origin = place.map { " (\($0))" } ?? ""
                throw BackupError(.usage, "port \(text)\(origin) is not a number from 1 to 65535")
            }
            mysql.port = UInt32(port)
        }
        mysql.user = value(options.user, "DB_USER") ?? mysql.user
        let secret = password ?? value(options.password, "DB_PASSWORD")
        mysql.password = secret.map { Secret($0) } ?? mysql.password
        try setTLS(of: &mysql, to: tlsValue)
        mysql.exposure = exposure
        return mysql
    }

    // MARK: The repository

    /// The repository that the user named, or used last for this server and database.
    ///
    /// - Throws: `BackupError.usage` when there is none.
    func repository(_ repository: RepositoryOptions) throws -> Repository {
        guard let path = repositoryPath(repository)?.value else {
            throw BackupError(
                .usage, "no repository is named",
                hint: "Name the folder of the backups with -path, or set DB_BACKUP_PATH.")
        }
        return Repository(storage: LocalStorage(path: HomeFolder.expanded(path)))
    }

    /// The same, for commands that add backups to it.
    ///
    /// - Throws: `BackupError.usage` for a place in the folder of a backup, with which it would be removed.
    func repositoryForBackups(_ options: RepositoryOptions) throws -> Repository {
        let repository = try repository(options)
        let path = repository.storage.location
        // Of what is to be made the part that is there may be a link.
        var place = URL(fileURLWithPath: path)
        while place.pathComponents.count > 1, !FileManager.default.fileExists(atPath: place.path) {
            place.deleteLastPathComponent()
        }
        let folders =
            URL(fileURLWithPath: path).pathComponents
            + place.resolvingSymlinksInPath().pathComponents
        guard let backup = folders.first(where: { BackupID($0) != nil }) else { return repository }
        throw BackupError(
            .usage, "\(path) lies in the folder of a backup, \(backup)",
            hint: "Name another folder with -path: it would be removed with that backup.")
    }

    /// The repository's folder and where its name comes from; nil when there is none.
    func repositoryPath(_ repository: RepositoryOptions) -> (value: String, place: String)? {
        settings.found(repository.path, "DB_BACKUP_PATH")
            ?? LastRepositories()[sourceName].map { ($0, "used last for this database") }
    }

    /// The same, for commands that only read it.
    ///
    /// - Throws: `BackupError.notFound` when there is no such folder.
    func existingRepository(_ options: RepositoryOptions) throws -> Repository {
        let repository = try repository(options)
        let path = repository.storage.location
        guard FileManager.default.fileExists(atPath: path) else {
            throw BackupError(
                .notFound, "there is no folder \(path)", hint: "Name the repository with -path.")
        }
        return repository
    }

    /// Remembers the repository for commands without `-path`.
    func remember(_ repository: Repository) async {
        await LastRepositories().remember(repository.storage.location, for: sourceName)
    }

    private var sourceName: String { (try? server(password: nil).sourceName) ?? "" }

    /// Who runs this, for those who find a lock taken.
    static var holder: String {
        let process = ProcessInfo.processInfo
        return
            "process \(process.processIdentifier) on \(process.hostName) since \(Timestamp.now.text)"
    }
}
