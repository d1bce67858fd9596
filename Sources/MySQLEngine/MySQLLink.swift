import BackupCore
import CMariaDB

/// How a connection came to be: to whom, how protected.
struct MySQLLink: Sendable {
    /// The host's name, as flags or an option file have it.
    let host: String
    /// How it is encrypted; nil when it is not.
    let cipher: String?
    /// Nobody on a network could listen.
    let isLocal: Bool

    /// What whoever logs in that way should know; nil where nobody could listen.
    var exposure: String? {
        guard cipher == nil, !isLocal else { return nil }
        return "all rows cross the network to \(host) as they are, and the password may: "
            + "use --sslmode verify-full --sslrootcert FILE"
    }
}

extension MySQLLink {
    private static let machine = "localhost"

    init(_ connection: UnsafeMutablePointer<MYSQL>) {
        host = connection.pointee.host.map { String(cString: $0) } ?? Self.machine
        cipher = mysql_get_ssl_cipher(connection).map { String(cString: $0) }
        isLocal = SocketPeer.isThisMachine(mysql_get_socket(connection))
    }

    /// That of a login that was refused; nil where the server was not reached, or encryption failed or was not to be had.
    ///
    /// The library has closed the socket by then, and keeps what the server had greeted it with. The options of files are
    /// there because it was told to remember them.
    init?(refused connection: UnsafeMutablePointer<MYSQL>, host: String?) {
        let (options, abilities) = (
            connection.pointee.options, connection.pointee.server_capabilities
        )
        // Where it checks certificates the library sends nothing to a server that has none.
        let isProtected =
            options.use_ssl != 0
            && (abilities & UInt(CLIENT_SSL) != 0
                || dbtool_mysql_verifies_certificate(connection) != 0)
        guard abilities != 0, !isProtected else { return nil }
        let name = host ?? options.host.map { String(cString: $0) } ?? Self.machine
        (self.host, cipher) = (name, nil)
        // Of the machine's own name the library makes its socket.
        isLocal = name == Self.machine || SocketPeer.isThisMachine(host: name)
    }
}
