/// A value of a row as people see it: NULL is not the text NULL.
public enum ValueText {
    /// The value on one line, without commands to a terminal; `NULL` for none.
    ///
    /// A text that could be taken for that is in quotes: `'NULL'`.
    public static func of(_ value: String?) -> String {
        guard let value else { return "NULL" }
        // The text NULL in its quotes would be taken for the text without them.
        return value == "NULL" || value == "'NULL'" ? "'\(value)'" : VisibleText.of(value)
    }
}
