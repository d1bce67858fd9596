import BackupCore

/// `schema.sql`: everything that a database is made of, for people and for the product's own client.
enum MySQLScript {
    /// A line of its own: nothing behind it need be there for rows, and triggers would change them.
    static let afterRows = "-- After the rows:"

    /// The same text for the same things.
    ///
    /// Views stand twice: first in the form of tables would, so that each finds the others whatever their
    /// order; foreign keys are not checked before all tables are there.
    ///
    /// Default values are moments in UTC, which is what sessions that read them are in. Without its binary mode the client
    /// makes one line end of two bytes, in bodies too.
    ///
    /// `collation`: The database's own, which it has again after each that needs another.
    static func text(of objects: [MySQLObject], collation: String) -> String {
        // One that cannot be made any more, because what it shows is gone, must not stop the others.
        let all = objects.filter { $0.kind == .view }
        let views = all.filter { !$0.columns.isEmpty } + all.filter(\.columns.isEmpty)
        var text = """
            -- Run by: mysql --binary-mode --comments DATABASE < schema.sql
            SET NAMES utf8mb4;
            SET SESSION time_zone = '+00:00';
            SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION';
            SET SESSION foreign_key_checks = 0;

            """
        for object in objects where object.kind < .view { text += "\n\(object.statement);\n" }
        text += "\n\(afterRows)\n"
        for view in views where !view.columns.isEmpty {
            text += "\n\(placeholder(of: view));\n"
        }
        let own = MySQLObject.Setting(name: MySQLObject.Setting.collation, value: collation)
        for object in objects where object.kind > .view {
            text += "\n\(body(object))\n"
            if object.collation != nil { text += set([own]) }
        }
        for view in views {
            let name = MySQLText.identifier(view.name)
            text += "\nDROP VIEW IF EXISTS \(name);\n\(set(view.settings))\(view.statement);\n"
        }
        return text
    }

    private static func placeholder(of view: MySQLObject) -> String {
        let columns = view.columns.map { "1 AS \(MySQLText.identifier($0))" }
        return "CREATE VIEW \(MySQLText.identifier(view.name)) AS SELECT "
            + columns.joined(separator: ", ")
    }

    private static func body(_ object: MySQLObject) -> String {
        // Not one that the body holds, lest a statement within it end it; and on a line of its own, lest a comment at its
        // end swallow it.
        var delimiter = ";;"
        while object.statement.contains(delimiter) { delimiter += ";" }
        return """
            \(set(object.settings))DELIMITER \(delimiter)
            \(object.statement)
            \(delimiter)
            DELIMITER ;
            """
    }

    private static func set(_ settings: [MySQLObject.Setting]) -> String {
        settings.map { "\($0.statement);\n" }.joined()
    }
}
