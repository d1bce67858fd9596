import BackupCore
import Foundation
import MySQLEngine
import PostgresEngine

/// How to reach a server, whatever its product.
enum ServerSettings {
    case postgres(PostgresSettings)
    case mysql(MySQLSettings)

    /// The engine that speaks to it.
    var engine: any InteractiveEngine {
        switch self {
        case .postgres(let settings): PostgresEngine(settings)
        case .mysql(let settings): MySQLEngine(settings)
        }
    }

    /// The database that the settings lead to, as far as they tell.
    var databaseName: String? {
        switch self {
        case .postgres(let settings): settings.databaseName
        case .mysql(let settings): settings.database
        }
    }

    /// Which server and database these settings mean, for remembering things about them.
    var sourceName: String {
        switch self {
        case .postgres(let settings): "postgres \(settings.sourceName)"
        case .mysql(let settings): "mysql \(settings.sourceName)"
        }
    }

    /// The product that a URL names.
    ///
    /// - Throws: `BackupError.usage`: what is no URL would be taken for the name of a database, on whichever server
    ///   is the usual one.
    static func knownEngine(ofURL url: String) throws -> ConnectionOptions.Engine {
        if url.contains("://"), let engine = engine(ofURL: url) {
            try checkPassword(inURL: url)
            return engine
        }
        throw BackupError(
            .usage, "the URL is not understood",
            hint: "Write postgresql://user@host:5432/database or mysql://user@host:3306/database.")
    }

    /// A password that holds a slash ends where nobody expects it, and its rest would be shown as a port and a database.
    private static func checkPassword(inURL url: String) throws {
        let place = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let path = place.drop { $0 != "/" }.prefix { $0 != "?" }
        guard path.contains("@") else { return }
        throw BackupError(
            .usage, "the URL is not understood: it has an @ behind a slash",
            hint: "Write odd characters of a name or a password as %XX: / is %2F, @ is %40.")
    }

    /// Whether a URL says something by a parameter of one of these names.
    static func url(_ url: String?, names parameters: [String]) -> Bool {
        let query = (url ?? "").drop { $0 != "?" }.dropFirst().lowercased()
        return query.split(separator: "&").contains { item in
            parameters.contains { item.hasPrefix("\($0)=") }
        }
    }

    /// The product that a URL names; nil for a scheme that is none.
    static func engine(ofURL url: String) -> ConnectionOptions.Engine? {
        ConnectionOptions.Engine(name: String(url.prefix { $0 != ":" }))
    }
}

extension MySQLSettings {
    /// Reads `mysql://user:password@host:port/database?ssl-mode=required`, or `mariadb://…`.
    ///
    /// - Throws: `BackupError.usage`; its words do not hold the password.
    init(url: String) throws {
        self.init()
        // What is behind such a mark in a password would be shown as a parameter, or be the end of the URL without a word.
        guard !url.drop(while: { $0 != "?" && $0 != "#" }).contains("@") else {
            throw BackupError(
                .usage, "the URL is not understood: it has an @ behind ? or #",
                hint:
                    "Write odd characters of a name or a password as %XX: ? is %3F, # is %23, @ is %40."
            )
        }
        guard let parts = URLComponents(string: url), parts.scheme != nil else {
            throw BackupError(
                .usage, "the URL is not understood",
                hint: "Write mysql://user@host:3306/database, with odd characters as %XX.")
        }
        // An IPv6 address is in brackets.
        host = parts.host.map { $0.trimmingCharacters(in: ["[", "]"]) }
            .flatMap { $0.isEmpty ? nil : $0 }
        port = parts.port.flatMap { UInt32(exactly: $0) }
        user = parts.user
        password = parts.password.map { Secret($0) }
        let path = parts.path.drop { $0 == "/" }
        database = path.isEmpty ? nil : String(path)
        for item in parts.queryItems ?? [] {
            let value = item.value ?? ""
            switch item.name.lowercased() {
            case "ssl-mode", "sslmode": tls = try TLS(mode: value)
            case "ssl-ca", "sslrootcert": authorities = value
            case "ssl-cert", "sslcert": certificate = value
            case "ssl-key", "sslkey": key = value
            case "socket": socket = value
            default:
                throw BackupError(
                    .usage, "the URL has a parameter that is not understood: \(item.name)",
                    hint: "Known are ssl-mode, ssl-ca, ssl-cert, ssl-key and socket.")
            }
        }
    }
}

extension MySQLSettings.TLS {
    /// As the product's own client names modes, or as libpq does.
    ///
    /// - Throws: `BackupError.usage`.
    init(mode: String) throws {
        switch mode.lowercased().replacingOccurrences(of: "_", with: "-") {
        case "disable", "disabled": self = .disable
        case "allow", "prefer", "preferred": self = .prefer
        case "require", "required": self = .require
        case "verify-full", "verify-identity": self = .verifyFull
        case "verify-ca":
            throw BackupError(
                .usage, "the client library cannot check a certificate without the host's name",
                hint: "Use --sslmode verify-full, which checks both.")
        default:
            throw BackupError(
                .usage, "sslmode \(mode) is not understood",
                hint: "Known are disable, prefer, require and verify-full.")
        }
    }
}
