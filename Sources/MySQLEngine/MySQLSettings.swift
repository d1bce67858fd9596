public import BackupCore

/// How to reach a MySQL or MariaDB server.
///
/// What is nil is left to the client library: the groups `client` and `dbtool` of `~/.my.cnf` and of
/// the system's files, and its defaults.
///
/// - SeeAlso: <https://mariadb.com/kb/en/configuring-mariadb-connectorc-with-option-files/>
public struct MySQLSettings: Sendable {
    /// How a connection is encrypted.
    public enum TLS: String, Sendable, CaseIterable {
        /// Not at all.
        case disable
        /// Where the server can, whoever it is.
        case prefer
        /// Always, whoever the server is.
        case require
        /// Always, and its certificate must be from a trusted authority and for this host.
        case verifyFull = "verify-full"
    }

    /// The database.
    public var database: String?
    /// A host name or an address; nil or `localhost` is the machine's own socket.
    public var host: String?
    /// The port.
    public var port: UInt32?
    /// The path of the server's socket.
    public var socket: String?
    /// The account to log in with.
    public var user: String?
    /// Its password.
    public var password: Secret?
    /// How the connection is encrypted.
    public var tls = TLS.prefer
    /// The file of certificate authorities to trust.
    public var authorities: String?
    /// The file of the client's certificate.
    public var certificate: String?
    /// The file of the client's key.
    public var key: String?
    /// Told when others on a network can read the password or rows.
    public var exposure = ExposureNotice()

    /// Whether rows go into tables over this connection: `LOAD DATA LOCAL` is allowed.
    var sendsRows = false
    /// After how many seconds without a word of the server a statement fails, and the connection with it; nil for never.
    var silenceSeconds: UInt32?

    /// Leaves everything to the library.
    public init() {}

    /// Which server and database these settings mean, for remembering things about them.
    ///
    /// Without a user or password; not a proof, as one server may have several names.
    public var sourceName: String {
        [socket ?? host ?? "", port.map(String.init) ?? "", database ?? ""].joined(separator: " ")
    }

    /// The same, `listener` being told once what others on a network can read.
    func exposed(to listener: @escaping @Sendable (String) -> Void) -> MySQLSettings {
        var settings = self
        settings.exposure = exposure.heard(by: listener)
        return settings
    }
}
