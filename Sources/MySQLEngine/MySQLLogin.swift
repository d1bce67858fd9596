import BackupCore
import CMariaDB

/// Makes connections: what the client library is told before it logs in.
struct MySQLLogin: Sendable {
    private static let seconds: UInt32 = 15
    private static let noTLSOnServer: UInt32 = 2026

    private let settings: MySQLSettings

    init(_ settings: MySQLSettings) { self.settings = settings }

    /// Once for the process, before the first connection.
    private static let isReady: Bool = mysql_server_init(0, nil, nil) == 0

    /// Blocks a thread for as long as connecting takes.
    @concurrent
    func connect() async throws -> UnsafeMutablePointer<MYSQL> {
        do {
            return try connectAndWait()
        } catch let error as MySQLError {
            throw refusal(error)
        }
    }

    /// - Throws: `MySQLError`.
    func connectAndWait() throws -> UnsafeMutablePointer<MYSQL> {
        guard settings.tls == .prefer, !usesSocket else {
            return try connect(encrypted: settings.tls != .disable && !usesSocket)
        }
        do {
            return try connect(encrypted: true)
        } catch let error as MySQLError where error.number == Self.noTLSOnServer {
            return try connect(encrypted: false)
        }
    }

    /// What never leaves the machine needs no encryption.
    private var usesSocket: Bool {
        settings.socket != nil || settings.host == "localhost"
    }

    private func connect(encrypted: Bool) throws -> UnsafeMutablePointer<MYSQL> {
        guard Self.isReady, let connection = mysql_init(nil) else {
            throw MySQLError(message: "the client library cannot start")
        }
        prepare(connection, encrypted: encrypted)
        let result = mysql_real_connect(
            connection, settings.host, settings.user, settings.password?.unsafeText,
            settings.database, settings.port ?? 0, settings.socket, 0)
        guard result != nil else {
            defer { mysql_close(connection) }
            throw MySQLError(connection)
        }
        // Of a server that offers none the library asks for encryption only where it checks certificates.
        guard !encrypted || settings.tls == .prefer || mysql_get_ssl_cipher(connection) != nil
        else {
            mysql_close(connection)
            throw MySQLError(
                number: Self.noTLSOnServer,
                message: "TLS is required, and the server does not offer it")
        }
        return connection
    }

    private func prepare(_ connection: UnsafeMutablePointer<MYSQL>, encrypted: Bool) {
        var (seconds, yes) = (Self.seconds, CChar(1))
        var sendsRows = UInt32(settings.sendsRows ? 1 : 0)
        mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        mysql_options(connection, MYSQL_READ_DEFAULT_GROUP, "dbtool")
        mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // An option file may ask for it; what a session has pinned would be gone without a word.
        var no = CChar(0)
        mysql_options(connection, MYSQL_OPT_RECONNECT, &no)
        // Whoever may ask for files gets what `MySQLUpload` offers, and nothing else.
        mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &sendsRows)
        guard encrypted else { return }
        mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes)
        let files = [
            (MYSQL_OPT_SSL_CA, settings.authorities), (MYSQL_OPT_SSL_CERT, settings.certificate),
            (MYSQL_OPT_SSL_KEY, settings.key),
        ]
        for (option, file) in files { if let file { mysql_options(connection, option, file) } }
        if settings.tls == .verifyFull {
            mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes)
        }
    }

    private func refusal(_ error: MySQLError) -> BackupError {
        let needsPassword = error.number == 1045 && settings.password == nil
        return BackupError(
            needsPassword ? .passwordRequired : .connectionFailed,
            "cannot connect: \(error.message)",
            hint: needsPassword
                ? "Give a password with DB_PASSWORD, ~/.my.cnf or --password."
                : "Check --host, --port, --user, --database and that the server accepts connections."
        )
    }
}
