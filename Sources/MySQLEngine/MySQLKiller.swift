import CMariaDB
import Dispatch

/// Asks the server to end what a session is doing; usable from any thread.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/kill.html>; nobody needs a privilege for sessions of
///   their own account.
final class MySQLKiller: Sendable {
    /// Of a name that leads to several servers in turn one of these may lead to the right one.
    private static let logins = 5

    private let settings: MySQLSettings
    private let session: UInt
    private let node: MySQLNode
    private let underWay = DispatchGroup()

    init(_ settings: MySQLSettings, session: UInt, on node: MySQLNode) {
        self.settings = settings
        self.session = session
        self.node = node
    }

    /// Returns at once; the request travels on a thread of its own.
    func kill() { DispatchQueue.global().async(group: underWay) { self.killAndWait() } }

    /// Returns when no request is under way any more, which the next statement would be hit by.
    func waitForRequests() { underWay.wait() }

    /// Returns when the server has got the request.
    func killAndWait() {
        // A request that does not arrive changes nothing: the statement ends by itself.
        for _ in 1...Self.logins {
            guard let connection = try? MySQLLogin(settings).connectAndWait() else { return }
            defer { mysql_close(connection) }
            // Each server counts its sessions by itself: elsewhere this is the number of somebody else's.
            guard let found = try? MySQLNode(connection), found == node else { continue }
            mysql_query(connection, "KILL QUERY \(session)")
            return
        }
    }
}
