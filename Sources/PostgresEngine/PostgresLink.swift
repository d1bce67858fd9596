import BackupCore
import CPostgres

/// How a connection came to be: over what, as whom, how protected.
struct PostgresLink: Sendable {
    let host: String
    let port: String
    let user: String
    let database: String
    /// The server asked for a password and got one.
    let usedPassword: Bool
    /// `TLSv1.3 with TLS_AES_256_GCM_SHA384`, `GSSAPI`; nil when nothing is encrypted.
    let encryption: String?
    let sslMode: String
    /// Nobody on a network could listen.
    let isLocal: Bool

    var isSocket: Bool { Self.isSocket(host) }

    private static func isSocket(_ host: String) -> Bool {
        host.hasPrefix("/") || host.hasPrefix("@")
    }

    /// What whoever logs in that way should know; nil where nobody could listen.
    var exposure: String? {
        guard usedPassword, encryption == nil, !isLocal else { return nil }
        return "the password and all rows cross the network to \(host) as they are: "
            + "use --sslmode verify-full --sslrootcert FILE"
    }
}

extension PostgresLink {
    init(_ connection: OpaquePointer) {
        func text(_ value: UnsafePointer<CChar>?) -> String {
            value.map { String(cString: $0) } ?? ""
        }
        host = text(PQhost(connection))
        port = text(PQport(connection))
        user = text(PQuser(connection))
        database = text(PQdb(connection))
        usedPassword = PQconnectionUsedPassword(connection) == 1
        if PQsslInUse(connection) == 1 {
            let version = text(PQsslAttribute(connection, "protocol"))
            encryption = "\(version) with \(text(PQsslAttribute(connection, "cipher")))"
        } else {
            encryption = PQgssEncInUse(connection) == 1 ? "GSSAPI" : nil
        }
        sslMode = Self.option("sslmode", of: connection) ?? "prefer"
        isLocal =
            SocketPeer.isThisMachine(PQsocket(connection))
            || Self.isLocal(address: text(PQhostaddr(connection)), host: host)
    }

    /// What the server has hung up on has no peer on some systems, and still knows where it went: a socket has no address.
    static func isLocal(address: String, host: String) -> Bool {
        address.isEmpty ? isSocket(host) : SocketPeer.isThisMachine(host: address)
    }

    private static func option(_ keyword: String, of connection: OpaquePointer) -> String? {
        guard let options = PQconninfo(connection) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let name = option.pointee.keyword {
            if String(cString: name) == keyword {
                return option.pointee.val.map { String(cString: $0) }
            }
            option += 1
        }
        return nil
    }
}
