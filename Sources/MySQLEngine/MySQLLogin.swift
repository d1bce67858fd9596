import BackupCore
import CMariaDB

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Makes connections: what the client library is told before it logs in.
struct MySQLLogin: Sendable {
    private static let seconds: UInt32 = 15
    private static let noTLSOnServer: UInt32 = 2026
    private static let tooManyConnections: UInt32 = 1040

    private let settings: MySQLSettings

    init(_ settings: MySQLSettings) { self.settings = settings }

    /// Once for the process, before the first connection.
    private static let isReady: Bool = mysql_server_init(0, nil, nil) == 0

    /// Blocks a thread for as long as connecting takes; a server that is full is asked again for a while.
    @concurrent
    func connect() async throws -> UnsafeMutablePointer<MYSQL> {
        var pauses = GrowingPauses.beforeConnecting
        while true {
            do {
                return try connectAndWait()
            } catch let error as MySQLError {
                // Others' sessions end. Those that one account may not have are our own, as likely as not.
                guard error.number == Self.tooManyConnections, try await pauses.wait() else {
                    throw refusal(error)
                }
            }
        }
    }

    /// - Throws: `MySQLError`.
    func connectAndWait() throws -> UnsafeMutablePointer<MYSQL> {
        guard mayGoWithout, !usesSocket else {
            return try connect(encrypted: settings.tls != .disable && !usesSocket)
        }
        do {
            return try connect(encrypted: true)
        } catch let error as MySQLError where error.number == Self.noTLSOnServer {
            return try connect(encrypted: false)
        }
    }

    /// Whoever names an authority does not mean a server that it has not signed, and in the clear; nor one that a
    /// certificate of the client's cannot be shown to.
    private var mayGoWithout: Bool {
        settings.tls == .prefer && settings.authorities == nil && settings.certificate == nil
            && settings.key == nil
    }

    /// What never leaves the machine needs no encryption.
    private var usesSocket: Bool {
        settings.socket != nil || settings.host == "localhost" && !namesPort
    }

    /// A port of the machine's own name is meant: the library would take the socket, and perhaps another server's.
    private var namesPort: Bool { settings.port != nil && settings.socket == nil }

    private func connect(encrypted: Bool) throws -> UnsafeMutablePointer<MYSQL> {
        guard Self.isReady, let connection = mysql_init(nil) else {
            throw MySQLError(message: "the client library cannot start")
        }
        prepare(connection, encrypted: encrypted)
        let result = mysql_real_connect(
            connection, settings.host, settings.user, settings.password?.unsafeText,
            settings.database, settings.port ?? 0, settings.socket,
            // What option files said tells afterwards where a login went that was refused.
            UInt(CLIENT_REMEMBER_OPTIONS))
        guard result != nil else {
            defer { mysql_close(connection) }
            tellExposure(of: MySQLLink(refused: connection, host: settings.host))
            throw Self.failure(of: connection)
        }
        // What is ended below has sent its login already.
        tellExposure(of: MySQLLink(connection))
        // Of a server that offers none the library asks for encryption only where it checks certificates.
        guard !encrypted || mayGoWithout || mysql_get_ssl_cipher(connection) != nil
        else {
            mysql_close(connection)
            throw MySQLError(
                number: Self.noTLSOnServer,
                message: "TLS is required, and the server does not offer it")
        }
        // Option files are read while it connects, and have the last word.
        var no = CChar(0)
        mysql_options(connection, MYSQL_OPT_RECONNECT, &no)
        guard
            settings.tls != .verifyFull || !encrypted
                || dbtool_mysql_verifies_certificate(connection) != 0
        else {
            mysql_close(connection)
            throw MySQLError(
                number: Self.noTLSOnServer,
                message: "an option file says that the server's certificate is not to be verified")
        }
        watch(mysql_get_socket(connection))
        return connection
    }

    /// Whether something is encrypted the library tells once the login is over: then it is said, be the login refused,
    /// before a person types a password that was missing and before there are rows.
    private func tellExposure(of link: MySQLLink?) {
        guard let exposure = link?.exposure else { return }
        settings.exposure.say(exposure)
    }

    /// What a server says before anything is encrypted, that it has no room or takes nobody from here, the library wraps in
    /// words of its own.
    private static func failure(of connection: UnsafeMutablePointer<MYSQL>) -> MySQLError {
        let error = MySQLError(connection)
        let wrapped = error.message.firstMatch(of: /error cannot be verified: ([0-9]+) - (.*)/)
        guard let wrapped, let number = UInt32(wrapped.1) else { return error }
        return MySQLError(number: number, message: String(wrapped.2))
    }

    /// A server that is gone without a word is noticed in a minute and a half, not in two hours.
    ///
    /// While it is waited for. No `TCP_USER_TIMEOUT` beside it: Linux then ends as well what reads nothing for that long,
    /// although it answers every probe of its window, as a server does whose LOAD DATA waits for a lock.
    private func watch(_ socket: Int32) {
        guard !usesSocket else { return }
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let tcp = Int32(IPPROTO_TCP)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(tcp, TCP_KEEPINTVL, 10)
        set(tcp, TCP_KEEPCNT, 6)
        #if canImport(Darwin)
            set(tcp, TCP_KEEPALIVE, 30)
        #else
            set(tcp, TCP_KEEPIDLE, 30)
        #endif
    }

    private func prepare(_ connection: UnsafeMutablePointer<MYSQL>, encrypted: Bool) {
        var (seconds, yes) = (Self.seconds, CChar(1))
        if settings.host == "localhost", namesPort {
            var protocolKind = UInt32(MYSQL_PROTOCOL_TCP.rawValue)
            mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocolKind)
        }
        var sendsRows = UInt32(settings.sendsRows ? 1 : 0)
        mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        mysql_options(connection, MYSQL_READ_DEFAULT_GROUP, "dbtool")
        mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // What a session has pinned would be gone without a word.
        var no = CChar(0)
        mysql_options(connection, MYSQL_OPT_RECONNECT, &no)
        // Whoever may ask for files gets what `MySQLUpload` offers, and nothing else.
        mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &sendsRows)
        if var silence = settings.silenceSeconds {
            mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &silence)
            mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &silence)
        }
        // Newer libraries verify, and so want TLS, unless they are told not to.
        var verifies = CChar(encrypted && settings.tls == .verifyFull ? 1 : 0)
        mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies)
        guard encrypted else { return }
        mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes)
        let files = [
            (MYSQL_OPT_SSL_CA, settings.authorities), (MYSQL_OPT_SSL_CERT, settings.certificate),
            (MYSQL_OPT_SSL_KEY, settings.key),
        ]
        for (option, file) in files { if let file { mysql_options(connection, option, file) } }
    }

    /// What the server said when it let nobody in, with what may help.
    func refusal(_ error: MySQLError) -> BackupError {
        // Option files give passwords too, and the library has forgotten them by now.
        let hadPassword =
            settings.password != nil || error.message.contains("using password: YES")
        let needsPassword = error.number == 1045 && !hadPassword
        let hint: String
        switch error.number {
        case _ where needsPassword:
            hint = "Give a password with DB_PASSWORD, ~/.my.cnf or --password."
        case 1045 where settings.password == nil:
            hint =
                "Check the password in ~/.my.cnf and --user, and from where the account may log in."
        case 1045: hint = "Check the password and --user, and from where the account may log in."
        case 1044:
            // Whom a server keeps out holds nothing there by whose name this grant would go.
            let place =
                settings.database.map { MySQLGrants([]).place(of: $0) } ?? "the database"
            // Access denied for user 'backup'@'%' to database 'shop'
            let account =
                error.message.firstMatch(of: /for user ('.*'@'.*') to database/)?.1 ?? "it"
            hint = """
                Check --database; or run as an administrator: \
                GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON \(place) TO \(account);
                """
        case 1049: hint = "Check --database; names are as stored."
        // PostgreSQL waits for the client's first word, MySQL's clients wait for the server's.
        case 2013 where error.message.contains("initial communication packet"):
            hint = """
                Whoever listens there does not speak as MySQL and MariaDB do. \
                For PostgreSQL leave out --db mysql and DB_ENGINE.
                """
        case 2026: hint = "Check --sslmode, --sslrootcert, --sslcert and --sslkey."
        default:
            hint =
                error.advice
                ?? "Check --host, --port, --user, --database and that the server accepts connections."
        }
        return BackupError(
            needsPassword ? .passwordRequired : .connectionFailed,
            "cannot connect: \(error.message)",
            hint: hint)
    }
}
