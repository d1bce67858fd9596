import BackupCore
import CPostgres

/// What the server said when it refused something.
struct PostgresError: Error, Sendable {
    let sqlState: String
    var message: String
    let detail: String?
    var hint: String?
    let context: String?
    /// The character of the statement that it is about, counted from 1.
    let position: Int?
    /// The table that it is about, where the server tells.
    let table: TableName?

    init(result: OpaquePointer?, connection: OpaquePointer?) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue else { return nil }
            return PQresultErrorField(result, Int32(ascii)).map { String(cString: $0) }
        }
        sqlState = field("C") ?? ""
        detail = field("D")
        hint = field("H")
        context = field("W")
        position = field("P").flatMap { Int($0) }
        table = field("t").map { TableName(schema: field("s") ?? "", name: $0) }
        let words = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        message = field("M") ?? (words.isEmpty ? "the connection was lost" : words)
    }

    init(message: String) {
        (sqlState, self.message) = ("", message)
        (detail, hint, context, position) = (nil, nil, nil, nil)
        table = nil
    }

    /// Whether the connection itself is gone.
    var isConnectionLoss: Bool {
        // Class 08 and 57P0x: connection exceptions, shutdowns, a terminated backend; transactions that took too long.
        sqlState.isEmpty || sqlState.hasPrefix("08") || sqlState.hasPrefix("57P")
            || ["25P03", "25P04"].contains(sqlState)
    }

    /// Whether the role lacks a privilege for it.
    var isLackOfPrivilege: Bool { sqlState == "42501" }

    /// Whether it tells how the server or the way to it is doing, and nothing of what was asked for.
    var isOfServer: Bool { isConnectionLoss || Self.isCircumstantial(sqlState) }

    /// Whether an SQLSTATE tells how a server is doing, and nothing of what it was asked for.
    static func isCircumstantial(_ sqlState: String) -> Bool {
        // Deadlocks, no room, limits and shutdowns; its own files, but not a library that it lacks; a standby.
        ["40", "53", "57"].contains(sqlState.prefix(2))
            || ["58000", "58030", "25006"].contains(sqlState)
    }

    /// Whether an SQLSTATE may tell what a row is refused for: a check that does not hold, or whatever a function raises
    /// that one calls, in words of its own too.
    static func mayBeOfRows(_ sqlState: String) -> Bool {
        guard !sqlState.isEmpty, !isCircumstantial(sqlState) else { return false }
        // Connections, what the server does not have, transactions, statements and rights, limits, locks, its files, and its
        // own faults.
        return !["08", "0A", "25", "42", "54", "55", "58", "XX"].contains(sqlState.prefix(2))
    }

    /// The same in this project's words, with what was being done in front.
    func backupError(while doing: String) -> BackupError {
        let words = message.split(separator: "\n").joined(separator: " ")
        let state = sqlState.isEmpty ? "" : " (SQLSTATE \(sqlState))"
        var error = BackupError(
            code, "\(doing): \(words)\(state)", hint: advice,
            underlying: [detail, context].compactMap(\.self).joined(separator: "\n").nonEmpty)
        error.isCircumstantial = Self.isCircumstantial(sqlState)
        error.mayDependOnOtherTables = Self.mayBeOfRows(sqlState)
        return error
    }

    private var code: BackupError.Code {
        if isConnectionLoss { return .connectionFailed }
        return switch sqlState {
        case "42501": .permissionDenied
        case "55P03": .sourceChanged
        default: .serverRefused
        }
    }

    /// The server's own hint, or ours where it has none.
    private var advice: String? {
        if let hint { return hint }
        return switch sqlState {
        case "53200":
            "Raise max_locks_per_transaction on the server, or back up fewer tables at a time."
        case "53300":
            "The server has no connection left; use fewer --jobs, or raise max_connections."
        case "53100": "The server's disk is full."
        case "55P03":
            "Another session holds or waits for a conflicting lock; try again, or raise --lock-timeout."
        default: nil
        }
    }
}

extension String {
    /// Nil for an empty text.
    var nonEmpty: String? { isEmpty ? nil : self }
}
