import BackupCore
import CMariaDB

/// What the server, or the client library, said when it refused something.
struct MySQLError: Error, Sendable {
    /// The server's number of the error, or the library's from 2000 on; 0 for one of ours.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/mysql-errors/en/>, <https://mariadb.com/kb/en/mariadb-error-codes/>
    let number: UInt32
    let sqlState: String
    let message: String

    init(_ connection: UnsafeMutablePointer<MYSQL>) {
        number = mysql_errno(connection)
        sqlState = String(cString: mysql_sqlstate(connection))
        let words = String(cString: mysql_error(connection))
        message = words.isEmpty ? "the connection was lost" : words
    }

    init(_ statement: UnsafeMutablePointer<MYSQL_STMT>) {
        // Of rows that do not come only the connection knows why.
        if mysql_stmt_errno(statement) == 0, let connection = statement.pointee.mysql {
            self = MySQLError(connection)
        } else {
            let words = String(cString: mysql_stmt_error(statement))
            self = MySQLError(number: mysql_stmt_errno(statement), message: words)
        }
    }

    init(number: UInt32 = 0, message: String) {
        (self.number, sqlState, self.message) = (number, "", message)
    }

    /// Whether the connection itself is gone.
    var isConnectionLoss: Bool {
        // Killed, shut down, and everything that the library says of its socket.
        [1053, 1077, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1927].contains(number)
            || (2000..<3000).contains(number)
    }

    /// Whether something was refused for want of a privilege.
    var isRefusal: Bool {
        [1044, 1045, 1142, 1143, 1227, 1370, 1419].contains(number)
    }

    /// Whether a foreign key was refused for what the account may not do with the table that it refers to.
    var refusesReference: Bool { [1142, 1143].contains(number) && message.contains("REFERENCES") }

    /// Whether the server does not know the statement.
    var isUnknownStatement: Bool { number == 1064 }

    /// Whether the server chose this session to give way.
    var isDeadlock: Bool { number == 1213 }

    /// MySQL's catalogs cannot show what others run just now in characters of four bytes, nor anything else of them then.
    var lacksLetters: Bool { number == 3854 }

    /// Whether a lock could not be had in time.
    var isLockTimeout: Bool { number == Self.lockTimeout || number == 3572 }

    static let lockTimeout: UInt32 = 1205

    /// Whether `GET_LOCK` was refused for what the server is: a node of a cluster.
    ///
    /// - SeeAlso: <https://docs.percona.com/percona-xtradb-cluster/8.0/strict-mode.html>
    var refusesNamedLocks: Bool { number == 1235 || number == 1105 }

    /// Whether it tells that the files of the table that was asked for are damaged, as MyISAM, Aria and ARCHIVE leave them
    /// when a server is killed.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/myisam-repair.html>
    var isDamagedTable: Bool {
        // The storage engines' own numbers come as they are, or within the words of the server's.
        let own: [UInt32] = [126, 127, 144, 145, 176]
        guard ![1034, 1194, 1195].contains(number), !own.contains(number) else { return true }
        guard number == 1016 || number == 1030 else { return false }
        return own.contains { message.contains("error \($0)") || message.contains("errno: \($0)") }
    }

    /// Whether it tells how the server is doing, and nothing of what it was asked for.
    var isCircumstantial: Bool {
        // What a storage engine cannot do may be the table's fault, and may be the disk's.
        number == 1030 && message.contains("error 28")
            || [
                // No room on a disk, in memory, for a connection, a thread or locks.
                3, 20, 1021, 1026, 1037, 1038, 1040, 1041, 1114, 1135, 1203, 1206, 1226, 1878,
                // A deadlock, a limit of time, somebody's KILL QUERY; a server that only reads.
                1213, 1290, 1317, 1792, 1836, 1969, 3024,
            ].contains(number)
    }

    /// The server's words, in one line.
    var words: String { message.split(separator: "\n").joined(separator: " ") }

    /// The same in this project's words, with what was being done in front.
    func backupError(while doing: String) -> BackupError {
        let code: BackupError.Code =
            if isConnectionLoss {
                .connectionFailed
            } else if isRefusal {
                .permissionDenied
            } else if isLockTimeout {
                .locked
            } else if number == 1412 || number == 1146 {
                .sourceChanged
            } else {
                .serverRefused
            }
        var error = BackupError(
            code, "\(doing): \(words)\(number == 0 ? "" : " (error \(number))")", hint: advice)
        error.isCircumstantial = isCircumstantial
        return error
    }

    /// What may help, for people.
    var advice: String? {
        switch number {
        case 1040: "The server has no connection left; use fewer --jobs, or raise max_connections."
        case 1226 where !message.contains("max_user_connections"):
            "Wait until the hour is over, or raise the account's limit: ALTER USER … WITH …;"
        case 1203, 1226:
            "The account may have no more connections; use fewer --jobs, or raise its max_user_connections."
        case 1205: "Another session holds the lock; try again, or raise --lock-timeout."
        case 1044, 1142, 1143, 1227, 1370:
            "The account lacks a privilege: an administrator can GRANT it."
        case 1419: "Run as an administrator: SET GLOBAL log_bin_trust_function_creators = 1;"
        case 1412: "The table was changed while it was backed up; run the backup again."
        default: nil
        }
    }
}
