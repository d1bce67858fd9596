import BackupCore
import CPostgres

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Where libpq takes a setting from that nobody else gave.
public struct PostgresOrigin: Sendable {
    /// libpq's keyword: `host`.
    public let keyword: String
    /// The value; never that of a password.
    public let value: String?
    /// `PGHOST`, `service shop`, `default`; nil where nothing gives a value.
    public let place: String?
}

extension PostgresSettings {
    private static let told = [
        "host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey",
    ]

    /// What libpq will take for each setting that is not among these, and from where.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/libpq-envars.html>
    public func origins() -> [PostgresOrigin] {
        guard let defaults = PQconndefaults() else { return [] }
        defer { PQconninfoFree(defaults) }
        var origins: [PostgresOrigin] = []
        var option = defaults
        while let name = option.pointee.keyword {
            let keyword = String(cString: name)
            if Self.told.contains(keyword) { origins.append(Self.origin(keyword, option.pointee)) }
            option += 1
        }
        return origins
    }

    /// The parts of a URL, without its password's value.
    public func partsOfURL() -> [String: String] {
        guard let url, let parsed = PQconninfoParse(url.unsafeText, nil) else { return [:] }
        defer { PQconninfoFree(parsed) }
        var parts: [String: String] = [:]
        var option = parsed
        while let name = option.pointee.keyword {
            let keyword = String(cString: name)
            if let value = option.pointee.val {
                parts[keyword] = keyword == "password" ? "" : String(cString: value)
            }
            option += 1
        }
        return parts
    }

    private static func origin(_ keyword: String, _ option: PQconninfoOption) -> PostgresOrigin {
        let value = option.val.map { String(cString: $0) }
        let variable = option.envvar.map { String(cString: $0) }
        let inherited = variable.flatMap { getenv($0) }.map { String(cString: $0) }
        let service = getenv("PGSERVICE").map { String(cString: $0) }
        let standard = option.compiled.map { String(cString: $0) }
        let place: String? =
            switch value {
            case nil: keyword == "password" ? passwordFile : nil
            case inherited: variable
            case standard: "default"
            default: service.map { "service \($0)" } ?? "default"
            }
        return PostgresOrigin(
            keyword: keyword, value: keyword == "password" ? nil : value, place: place)
    }

    /// The file in which libpq looks for a password, if it is there.
    private static var passwordFile: String? {
        let path = passwordFilePath
        return access(path, R_OK) == 0 ? "\(path), if it has a line for this server" : nil
    }

    private static var passwordFilePath: String {
        if let named = getenv("PGPASSFILE") { return String(cString: named) }
        return (getenv("HOME").map { String(cString: $0) } ?? "~") + "/.pgpass"
    }

    /// The password file, when libpq ignores it because others may read it.
    public static var ignoredPasswordFile: String? {
        var status = stat()
        let path = passwordFilePath
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
        return path
    }
}
