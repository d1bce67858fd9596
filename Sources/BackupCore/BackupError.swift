/// What went wrong, to what, and what to do about it.
///
/// The message is lower case, without a full stop, and names the thing; the hint is a sentence.
public struct BackupError: Error, Sendable {
    /// What a caller can branch on.
    ///
    /// Each code has one exit code.
    public enum Code: String, Sendable, CaseIterable {
        /// The request itself makes no sense: an unknown table, a missing path.
        case usage
        /// The named backup or database does not exist.
        case notFound = "not_found"
        /// The server cannot be reached, or refuses the login.
        case connectionFailed = "connection_failed"
        /// The server wants a password and none was given.
        case passwordRequired = "password_required"
        /// A privilege is missing.
        case permissionDenied = "permission_denied"
        /// The server refused a statement.
        case serverRefused = "server_refused"
        /// Structure changed while it was read, or a lock could not be had in time.
        case sourceChanged = "source_changed"
        /// A program that this one needs is missing or too old.
        case toolMissing = "tool_missing"
        /// The database to restore into is not as it must be.
        case targetUnsuitable = "target_unsuitable"
        /// Reading or writing the repository failed.
        case storageFailed = "storage_failed"
        /// Another run holds the lock, or a table's lock could not be had.
        case locked
        /// Stored bytes are not what the backup says they are.
        case damaged
        /// A file was made by a newer version of this program.
        case unsupportedFormat = "unsupported_format"
        /// Somebody asked to stop.
        case interrupted
    }

    /// What a caller can branch on.
    public var code: Code
    /// What happened, to what.
    public var message: String
    /// What to do, where there is something to do.
    public var hint: String?
    /// The error below this one, in its own words.
    public var underlying: String?
    /// Whether a server's circumstances caused it (no room, a deadlock, a limit of time), and not what it was asked for:
    /// the same may work another time.
    public var isCircumstantial = false
    /// Whether rows of one table may have been refused for what others hold, as by a check that reads these: the same may
    /// work when their rows are there.
    public var mayDependOnOtherTables = false

    /// Describes a failure.
    public init(
        _ code: Code, _ message: String, hint: String? = nil, underlying: String? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.underlying = underlying
    }

    /// The same error, with the thing that it happened to in front of its message.
    public func with(context: String) -> BackupError {
        var error = self
        error.message = "\(context): \(message)"
        return error
    }
}

extension BackupError: CustomStringConvertible {
    /// Message and hint on lines of their own.
    public var description: String {
        [message, underlying, hint.map { "hint: \($0)" }].compactMap(\.self)
            .joined(separator: "\n")
    }
}
