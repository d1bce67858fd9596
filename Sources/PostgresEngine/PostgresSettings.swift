public import BackupCore

/// How to reach a PostgreSQL server.
///
/// What is nil is left to libpq: `PG*` variables, `~/.pgpass`, `~/.pg_service.conf`, its defaults.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>
public struct PostgresSettings: Sendable {
    /// A `postgresql://` URL; the other settings win over its parts.
    public var url: Secret?
    /// The database.
    public var database: String?
    /// A host name, an address or the folder of a socket.
    public var host: String?
    /// The port.
    public var port: String?
    /// The role to log in as.
    public var user: String?
    /// Its password.
    public var password: Secret?
    /// `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    public var sslMode: String?
    /// The file of certificate authorities to trust.
    public var sslRootCertificate: String?
    /// The file of the client's certificate.
    public var sslCertificate: String?
    /// The file of the client's key.
    public var sslKey: String?
    /// The pg_dump to use; found by itself when nil.
    public var pgDump: String?
    /// What sessions begin with besides, as `PGOPTIONS` has it; then those of the environment do not count.
    var options: String?
    /// Told when others on a network can read the password or rows.
    public var exposure = ExposureNotice()

    /// Leaves everything to libpq.
    public init() {}

    /// Which server and database these settings mean, for remembering things about them.
    ///
    /// Without a user or password; not a proof, as one server may have several names.
    public var sourceName: String {
        let parameters = PostgresLogin(self).parameters
        return [parameters["host"], parameters["port"], databaseName]
            .map { $0 ?? "" }.joined(separator: " ")
    }

    /// The database that these settings lead to, as far as they tell.
    ///
    /// As it is called: what libpq is given says that it is no connection string where it looks like one.
    public var databaseName: String? {
        if let database, !database.isEmpty { return database }
        let parameters = PostgresLogin(self).parameters
        return parameters["dbname"] ?? parameters["user"]
    }

    /// The same, `listener` being told once what others on a network can read.
    func exposed(to listener: @escaping @Sendable (String) -> Void) -> PostgresSettings {
        var settings = self
        settings.exposure = exposure.heard(by: listener)
        return settings
    }

    /// libpq's keywords and their values, the later ones winning.
    var parameters: [(keyword: String, value: String)] {
        // Only the first `dbname` is expanded.
        let name = url == nil ? database.map(Self.databaseOnly) : database
        let given: [(String, String?)] = [
            ("dbname", url?.unsafeText), ("dbname", name),
            ("host", host), ("port", port), ("user", user), ("password", password?.unsafeText),
            ("sslmode", sslMode), ("sslrootcert", sslRootCertificate),
            ("sslcert", sslCertificate), ("sslkey", sslKey), ("options", options),
        ]
        return given.compactMap { keyword, value in value.map { (keyword, $0) } }
    }

    /// A `dbname` is expanded when it looks like a connection string; this one must not be.
    private static func databaseOnly(_ name: String) -> String {
        let bytes = Array(name.utf8)
        let looksLikeConnection =
            bytes.contains(UInt8(ascii: "=")) || name.startsExactly(with: "postgres")
        return looksLikeConnection ? "dbname=\(SQLText.connectionValue(name))" : name
    }
}
