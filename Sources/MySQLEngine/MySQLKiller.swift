import CMariaDB
import Dispatch

/// Asks the server to end what a session is doing; usable from any thread.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/kill.html>; nobody needs a privilege for sessions of
///   their own account.
final class MySQLKiller: Sendable {
    private let settings: MySQLSettings
    private let session: UInt
    private let underWay = DispatchGroup()

    init(_ settings: MySQLSettings, session: UInt) {
        self.settings = settings
        self.session = session
    }

    /// Returns at once; the request travels on a thread of its own.
    func kill() { DispatchQueue.global().async(group: underWay) { self.killAndWait() } }

    /// Returns when no request is under way any more, which the next statement would be hit by.
    func waitForRequests() { underWay.wait() }

    /// Returns when the server has got the request.
    func killAndWait() {
        // A request that does not arrive changes nothing: the statement ends by itself.
        guard let connection = try? MySQLLogin(settings).connectAndWait() else { return }
        mysql_query(connection, "KILL QUERY \(session)")
        mysql_close(connection)
    }
}
