import BackupCore

/// A thing of a database as the server's catalogs list it: they know better than `SHOW CREATE` what it is called.
///
/// That turns its whole text out of the character set of the connection that it was made over, and takes names and comments for
/// text in it too, which are UTF-8: `é` made over latin1 is printed as `Ã©`. And it doubles the backslashes of a comment where a
/// backslash means nothing, too (`NO_BACKSLASH_ESCAPES`).
struct MySQLListing {
    let kind: MySQLObject.Kind
    let name: String
    /// The table that a trigger belongs to.
    var table: String?
    /// Empty for none.
    var comment = ""

    /// `statement` with what is listed in place of what is printed wrongly.
    ///
    /// `characterSet`: That of the connection that it was made over; `mode`: the `sql_mode` that it is made under.
    func corrected(_ statement: String, characterSet: String, mode: String) -> String {
        let isTwice =
            !characterSet.hasPrefix("utf8") && !statement.utf8.allSatisfy { $0 < 0x80 }
        let escapes = !mode.contains("NO_BACKSLASH_ESCAPES")
        let isDoubled = !escapes && comment.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") }
        guard isTwice || isDoubled, let head = MySQLStatementHead(statement) else {
            return statement
        }
        let literal =
            escapes
            ? MySQLText.literal(comment) : "'\(comment.replacing(scalar: "'", with: "''"))'"
        return head.statement(
            naming: isTwice ? name : nil, on: isTwice ? table : nil,
            comment: comment.isEmpty ? nil : literal)
    }
}
