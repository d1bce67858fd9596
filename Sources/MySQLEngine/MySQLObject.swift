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

    /// A statement without the database in front of names: a default may count by a sequence, and a view that shows
    /// tables of two databases, or calls a function, names its own too.
    ///
    /// As it is where something in it has the database's name: nobody knows then what is meant.
    static func withoutDatabase(_ statement: String, _ database: String) -> String {
        guard statement.utf8.count > database.utf8.count,
            statement.contains(MySQLText.identifier(database) + ".")
        else { return statement }
        let tokens = MySQLTokens(statement).tokens
        let isUnclear = tokens.indices.contains { index in
            tokens[index].kind == .quotedIdentifier
                && tokens[index].identifier?.isExactly(database) ?? false
                && (index > 0 && tokens[index - 1].isSign(".")
                    || !(index + 1 < tokens.count && tokens[index + 1].isSign(".")))
        }
        guard !isUnclear else { return statement }
        let kept = tokens.enumerated().filter { index, token in
            func isDatabase(_ index: Int) -> Bool {
                index >= 0 && index + 1 < tokens.count
                    && tokens[index].kind == .quotedIdentifier && tokens[index + 1].isSign(".")
                    && tokens[index].identifier?.isExactly(database) ?? false
            }
            return !isDatabase(index) && !(token.isSign(".") && isDatabase(index - 1))
        }
        return String(decoding: kept.flatMap(\.element.bytes), as: UTF8.self)
    }
}
