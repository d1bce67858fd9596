import BackupCore

/// Names and values as SQL.
enum MySQLText {
    /// A quoted identifier.
    static func identifier(_ name: String) -> String {
        "`\(name.replacing(scalar: "`", with: "``"))`"
    }

    /// A quoted name with its database.
    static func qualified(_ table: TableName) -> String {
        "\(identifier(table.schema)).\(identifier(table.name))"
    }

    /// A string literal for sessions without `NO_BACKSLASH_ESCAPES`, which ours are.
    static func literal(_ text: String) -> String {
        "'\(text.replacing(scalar: "\\", with: "\\\\").replacing(scalar: "'", with: "''"))'"
    }

    /// A condition that a catalog's column is exactly a name: catalogs themselves take `A` for `a`.
    static func isName(_ column: String, _ name: String) -> String {
        "\(column) = \(literal(name)) AND CAST(\(column) AS BINARY) = CAST(\(literal(name)) AS BINARY)"
    }

    /// The same of a database's name, in MariaDB's catalogs of routines, triggers and events.
    ///
    /// Where a server does not tell names by their case (`lower_case_table_names`), they have others there than elsewhere.
    static func isDatabase(_ column: String, _ name: String) -> String {
        """
        \(column) = \(literal(name)) AND (@@GLOBAL.lower_case_table_names <> 0 \
        OR CAST(\(column) AS BINARY) = CAST(\(literal(name)) AS BINARY))
        """
    }

    /// A selection of rows.
    ///
    /// `source`: A table and how it is read. `conditions`: What all hold of the rows. `order`: Empty for any.
    static func selection(
        of list: [String], from source: String, where conditions: [String], order: [String]
    ) -> String {
        "SELECT \(list.joined(separator: ", ")) FROM \(source)"
            + (conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))")
            + (order.isEmpty ? "" : " ORDER BY \(order.joined(separator: ", "))")
    }
}
