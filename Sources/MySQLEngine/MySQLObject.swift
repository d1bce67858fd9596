import BackupCore

/// A thing of a database that a statement makes again, and what that statement needs.
struct MySQLObject: Sendable, Hashable {
    /// In the order in which they are made.
    enum Kind: String, Sendable, CaseIterable, Comparable {
        case sequence = "SEQUENCE"
        case table = "TABLE"
        case view = "VIEW"
        case function = "FUNCTION"
        case procedure = "PROCEDURE"
        case package = "PACKAGE"
        case packageBody = "PACKAGE BODY"
        case trigger = "TRIGGER"
        case event = "EVENT"

        /// Those that share their names.
        static let relations: Set<Kind> = [.sequence, .table, .view]

        static func < (left: Kind, right: Kind) -> Bool {
            allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
        }
    }

    let kind: Kind
    let name: String
    /// What the server says that makes it.
    let statement: String
    /// Under which settings it was made, and must be made again: they are kept with it.
    var settings: [Setting] = []
    /// The names of a view's columns.
    var columns: [String] = []
    /// The table that a trigger belongs to, as the server's catalogs say.
    var table: String?

    /// One of the session's settings, or of its database.
    struct Setting: Sendable, Hashable {
        /// The one that is no session's: how texts compare that a body declares without saying so.
        static let collation = "collation_database"

        let name: String
        let value: String

        /// The statement that takes it.
        var statement: String {
            name == Self.collation
                ? "ALTER DATABASE COLLATE = \(MySQLText.identifier(value))"
                : "SET SESSION \(name) = \(MySQLText.literal(value))"
        }
    }

    /// The collation of a database in which it must be made, where that is not its own any more.
    var collation: String? { settings.first { $0.name == Setting.collation }?.value }

    /// Whether a function says that it is the same for the same arguments, or what it does to rows.
    ///
    /// As far as words tell: one that has them elsewhere too may do without.
    var saysWhatItDoes: Bool {
        ["DETERMINISTIC", "NO SQL", "READS SQL DATA"].contains { statement.contains($0) }
    }

    /// The statement without what changes with every row: the next value of the key.
    ///
    /// The server writes it behind the engine, in the line that closes the columns; comments, which may
    /// hold the same words, come later, and line ends in those of columns are written as `\n`.
    static func withoutCounter(_ statement: String) -> String {
        guard let closing = statement.firstRange(of: "\n)"),
            let engine = statement[closing.upperBound...].firstRange(of: "ENGINE=")
        else { return statement }
        let word = statement[engine.upperBound...].prefix {
            $0.isLetter || $0.isNumber || $0 == "_"
        }
        let mark = " AUTO_INCREMENT="
        let rest = statement[word.endIndex...]
        guard rest.utf8.starts(with: mark.utf8) else { return statement }
        let number = rest.dropFirst(mark.count).drop { $0.isASCII && $0.isNumber }
        return String(statement[..<word.endIndex]) + number
    }
}
