/// The one door for SQL that a person writes.
///
/// A session keeps what statements that may write have set; statements that only read leave nothing
/// behind, whatever they are.
public protocol SQLSession: Sendable {
    /// The statements of a text, without what separates them.
    nonisolated func statements(in text: String) -> [String]

    /// Follows statements that come line by line.
    nonisolated func lines() -> any SQLStatementLines

    /// Whether something has been begun that nobody has committed.
    var hasOpenTransaction: Bool { get async }

    /// The offsets, in UTF-8, at which a word, a quote, a comment or a sign begins.
    nonisolated func starts(in text: String) -> [Int]

    /// Runs a statement if it only reads: the server decides, in a transaction that cannot write and
    /// is rolled back.
    ///
    /// - Returns: Nil when it may write, and has not been run.
    /// - Throws: `SQLFailure`; `BackupError` without a connection; `CancellationError`; whatever
    ///   `sink` throws.
    func read(_ statement: String, into sink: any SQLSink) async throws -> SQLOutcome?

    /// Runs a statement that may write.
    ///
    /// - Throws: As `read`.
    func write(_ statement: String, into sink: any SQLSink) async throws -> SQLOutcome

    /// Who and where one is.
    func greeting() async throws -> SQLGreeting

    /// What somebody may want to type, as far as it can be known at once.
    func names() async throws -> SQLNames

    /// What a statement would do, for somebody who is asked; nothing is done.
    func forecast(of statement: String) async -> SQLForecast
}

/// Whether statements that come line by line are over.
public protocol SQLStatementLines {
    /// Takes the next line, without its end.
    mutating func add(_ line: String)

    /// Whether a quote, a comment, a parenthesis or a body has no end yet.
    var isOpen: Bool { get }

    /// Whether a quote or a comment has no end yet.
    var isInsideText: Bool { get }

    /// Whether the last thing was the semicolon of a statement.
    var endsStatement: Bool { get }
}

/// Takes the rows of a result as they come.
public protocol SQLSink: Sendable {
    /// A result begins.
    func begin(_ columns: [SQLColumn]) async throws

    /// Some of its rows.
    func take(_ rows: SQLRows) async throws
}

/// Who and where one is.
public struct SQLGreeting: Sendable {
    /// `PostgreSQL 18.6`.
    public let server: String
    /// The database.
    public let database: String
    /// How large it is.
    public let bytes: Int
    /// The role.
    public let user: String
    /// Whether nothing is forbidden to that role.
    public let isSuperuser: Bool

    /// Describes it.
    public init(server: String, database: String, bytes: Int, user: String, isSuperuser: Bool) {
        self.server = server
        self.database = database
        self.bytes = bytes
        self.user = user
        self.isSuperuser = isSuperuser
    }
}

/// Names that statements are made of, as they are written in SQL.
public struct SQLNames: Sendable {
    /// Tables and views, those of other schemas with these.
    public var tables: [String] = []
    /// The columns of each of these.
    public var columns: [String: [String]] = [:]
    /// Schemas and functions.
    public var others: [String] = []
    /// Words of the language.
    public var keywords: [String] = []

    /// No names.
    public init() {}
}

/// A column of a result.
public struct SQLColumn: Sendable, Hashable {
    /// What its values are to those who show them or write them as JSON.
    public enum Kind: Sendable {
        case number
        /// `t` or `f`.
        case boolean
        /// JSON as text.
        case document
        case text
    }

    /// What it is called; several may have one name.
    public let name: String
    /// What its values are.
    public let kind: Kind

    /// Describes a column.
    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// What became of a statement.
public enum SQLOutcome: Sendable {
    /// So many rows.
    case rows(Int)
    /// What the server says of it: `UPDATE 3`.
    case done(String)
}

/// What a statement would do.
public struct SQLForecast: Sendable {
    /// Its first word, in capitals.
    public var verb: String
    /// All its words outside of quotes and comments, in capitals.
    public var words: Set<String>
    /// About how many rows it would change, where the server can tell.
    public var rows: Int?

    /// Describes it.
    public init(verb: String, words: Set<String>, rows: Int? = nil) {
        self.verb = verb
        self.words = words
        self.rows = rows
    }
}

/// Why the server refused a statement.
public struct SQLFailure: Error, Sendable {
    /// In the server's words.
    public let message: String
    /// Five letters and digits: `42P01`.
    public let sqlState: String
    /// The character of the statement that it is about, counted from 1.
    public let position: Int?
    /// More of it.
    public let detail: String?
    /// What to do.
    public let hint: String?

    /// Describes a failure.
    public init(
        message: String, sqlState: String, position: Int?, detail: String?, hint: String?
    ) {
        self.message = message
        self.sqlState = sqlState
        self.position = position
        self.detail = detail
        self.hint = hint
    }
}

extension SQLFailure {
    /// The connection was lost while a transaction was being committed: nobody knows whether it was.
    public static func commitUnknown(_ message: String, _ sqlState: String) -> SQLFailure {
        SQLFailure(
            message: message, sqlState: sqlState, position: nil, detail: nil,
            hint: "The transaction was being committed: look whether it was before you do it again."
        )
    }
}
