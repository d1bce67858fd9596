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

    /// One of the session's settings.
    struct Setting: Sendable, Hashable {
        let name: String
        let value: String
    }

    /// The statement without what changes with every row: the next value of the key.
    ///
    /// Only where the server writes it: behind the last parenthesis, not in a comment of a column.
    static func withoutCounter(_ statement: String) -> String {
        let bytes = Array(statement.utf8)
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return statement }
        let options = String(decoding: bytes[end...], as: UTF8.self)
        guard let start = options.firstRange(of: " AUTO_INCREMENT=") else { return statement }
        // A table's own comment stands behind it.
        let rest = options[start.upperBound...].drop { $0.isASCII && $0.isNumber }
        return String(decoding: bytes[..<end], as: UTF8.self) + options[..<start.lowerBound] + rest
    }
}
