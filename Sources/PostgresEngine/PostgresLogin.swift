import BackupCore
import CPostgres

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Makes connections: what libpq is told before it logs in.
struct PostgresLogin: Sendable {
    private let settings: PostgresSettings

    init(_ settings: PostgresSettings) { self.settings = settings }

    /// A server that is gone without a word is noticed in a minute and a half, not in two hours.
    ///
    /// While it is waited for: what was sent and not answered the system sends again, for as long as it likes. No
    /// `tcp_user_timeout` beside it: Linux then ends as well what reads nothing for that long, although it answers
    /// every probe of its window (`tcp_probe_timer`), as a server does whose COPY waits for a lock.
    private static let patience = [
        ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "6"),
    ]

    /// Blocks a thread for as long as connecting takes; a server that is starting is asked again for a while.
    ///
    /// `pauses`: Those before it is asked again.
    @concurrent
    func connect(
        pausing pauses: GrowingPauses = .beforeConnecting
    ) async throws -> OpaquePointer {
        if let url = settings.url {
            // What libpq cannot read it would quote, passwords too.
            guard let parts = PQconninfoParse(url.unsafeText, nil) else {
                throw BackupError(
                    .usage, "the URL is not understood",
                    hint: "Write postgresql://user@host:5432/database, with odd characters as %XX.")
            }
            PQconninfoFree(parts)
        }
        let parameters =
            [("connect_timeout", "15"), ("application_name", "dbtool")]
            .filter { getenv($0.0 == "connect_timeout" ? "PGCONNECT_TIMEOUT" : "PGAPPNAME") == nil }
            + Self.patience + settings.parameters.map { ($0.keyword, $0.value) }
        var pauses = pauses
        while true {
            let (result, isRefusedForNow) = Self.connectOnce(parameters)
            guard let connection = result else {
                throw BackupError(.connectionFailed, "libpq could not allocate a connection")
            }
            tellExposure(of: connection)
            guard PQstatus(connection) == CONNECTION_OK else {
                let error = refusal(by: connection)
                PQfinish(connection)
                guard isRefusedForNow, try await pauses.wait() else { throw error }
                continue
            }
            // Notices would be printed on standard error otherwise.
            PQsetNoticeProcessor(connection, { _, _ in }, nil)
            return connection
        }
    }

    /// Whether something is encrypted libpq knows once the server has answered, and that it wants a password: then it is
    /// said, be the login refused, before a person types one and before there are rows.
    private func tellExposure(of connection: OpaquePointer) {
        // Of a connection that it has given up libpq does not know it any more.
        guard PQsocket(connection) >= 0, let exposure = PostgresLink(connection).exposure else {
            return
        }
        settings.exposure.say(exposure)
    }

    /// A connection, be it one that failed, and whether the server is only starting or about to stop.
    private static func connectOnce(
        _ parameters: [(String, String)]
    ) -> (connection: OpaquePointer?, isRefusedForNow: Bool) {
        let keywords = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { (keywords + values).forEach { free($0) } }
        let names: [UnsafePointer<CChar>?] = keywords.map { UnsafePointer($0) } + [nil]
        let texts: [UnsafePointer<CChar>?] = values.map { UnsafePointer($0) } + [nil]
        let begin = ContinuousClock.now
        let connection = PQconnectdbParams(names, texts, 1)
        // What was refused later than that, or after a password, was refused for another reason: asking costs as
        // much again, and a wrong password would count twice.
        guard PQstatus(connection) != CONNECTION_OK, PQconnectionUsedPassword(connection) == 0,
            PQconnectionNeedsPassword(connection) == 0, ContinuousClock.now - begin < .seconds(2)
        else { return (connection, false) }
        // The words of a failed connection are in the server's language, and without a code.
        return (connection, PQpingParams(names, texts, 1) == PQPING_REJECT)
    }

    private func refusal(by connection: OpaquePointer) -> BackupError {
        let lines = String(cString: PQerrorMessage(connection)).split(separator: "\n")
            .map { $0.drop { $0 == "\t" } }
        // What libpq cannot read it quotes.
        let secrets = [settings.url, settings.password]
        let words = secrets.compactMap { $0?.unsafeText }.filter { !$0.isEmpty }
            .reduce(lines.joined(separator: " ")) { $0.replacing($1, with: "••••") }
        let needsPassword = PQconnectionNeedsPassword(connection) == 1
        let hint =
            if needsPassword {
                "Give a password with DB_PASSWORD, PGPASSWORD, ~/.pgpass or --password."
            } else if words.contains("invalid response to SSL negotiation") {
                "No PostgreSQL listens there. For MySQL and MariaDB add --db mysql, or set DB_ENGINE."
            } else if PQconnectionUsedPassword(connection) == 1 {
                // The server has answered, in its own language.
                "Check the password, --user, --database, and from where the role may log in."
            } else {
                "Check --host, --port, --user, --database and that the server accepts connections."
            }
        return BackupError(
            needsPassword ? .passwordRequired : .connectionFailed, "cannot connect: \(words)",
            hint: hint
        )
    }

    /// What libpq makes of the settings before it connects: `PG*` variables and its defaults included.
    var parameters: [String: String] {
        var parameters: [String: String] = [:]
        func add(_ options: UnsafeMutablePointer<PQconninfoOption>?) {
            guard var option = options else { return }
            defer { PQconninfoFree(options) }
            while let keyword = option.pointee.keyword {
                if let value = option.pointee.val {
                    parameters[String(cString: keyword)] = String(cString: value)
                }
                option += 1
            }
        }
        add(PQconndefaults())
        if let url = settings.url { add(PQconninfoParse(url.unsafeText, nil)) }
        var given = settings
        given.url = nil
        for (keyword, value) in given.parameters { parameters[keyword] = value }
        return parameters
    }
}
