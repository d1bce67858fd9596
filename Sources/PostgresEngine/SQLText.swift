import BackupCore

/// Names and values as SQL.
enum SQLText {
    /// A quoted identifier.
    static func identifier(_ name: String) -> String {
        "\"\(name.replacing(scalar: "\"", with: "\"\""))\""
    }

    /// A quoted name with its schema.
    static func qualified(_ table: TableName) -> String {
        "\(identifier(table.schema)).\(identifier(table.name))"
    }

    /// A string literal that means the same whatever `standard_conforming_strings` is.
    static func literal(_ text: String) -> String {
        let quoted = text.replacing(scalar: "'", with: "''")
        guard quoted.unicodeScalars.contains("\\") else { return "'\(quoted)'" }
        return " E'\(quoted.replacing(scalar: "\\", with: "\\\\"))'"
    }

    /// A value in a libpq connection string.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>
    static func connectionValue(_ text: String) -> String {
        let escaped = text.replacing(scalar: "\\", with: "\\\\")
        return "'\(escaped.replacing(scalar: "'", with: "\\'"))'"
    }

    /// Texts as the text of an array.
    static func array(_ texts: [String]) -> String {
        let quoted = texts.map {
            "\"\($0.replacing(scalar: "\\", with: "\\\\").replacing(scalar: "\"", with: "\\\""))\""
        }
        return "{\(quoted.joined(separator: ","))}"
    }

    /// Tables as the text of an array of names, as `regclass[]` takes them.
    static func array(_ tables: [TableName]) -> String { array(tables.map(qualified)) }

    /// A parenthesised list of columns; nothing for none, which SQL cannot write.
    static func columnList(_ columns: [String]) -> String {
        columns.isEmpty ? "" : " (\(columns.map(identifier).joined(separator: ", ")))"
    }

    /// A hash of all that a row of a catalog says, but for some columns.
    static func digest(of row: String, but columns: [String]) -> String {
        """
        pg_catalog.hashtextextended((pg_catalog.to_jsonb(\(row))
          - '{\(columns.joined(separator: ","))}'::text[])::text, 0)::text
        """
    }
}
