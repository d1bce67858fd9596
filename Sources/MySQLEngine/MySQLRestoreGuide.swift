import BackupCore

/// `RESTORE.md`: how to restore a backup with nothing but the server's own client.
enum MySQLRestoreGuide {
    static func text(for metadata: Metadata) -> String {
        let product = metadata.databaseProperties["product"] ?? "MySQL"
        return """
            # Restoring \(metadata.id) without dbtool

            Made \(metadata.snapshotAt.text) from database `\(GuideText.name(metadata.database))` \
            (\(product) \(metadata.serverVersion)).
            The simple way is `dbtool restore \(metadata.id) -path REPOSITORY --into NAME --create --db mysql`.

            What follows needs only the `mysql` (or `mariadb`) client, a server that allows `LOAD DATA LOCAL`
            (`SET GLOBAL local_infile = 1`), `sha256sum`, and `zstd` where files are packed. Run these lines in
            this folder, in this order; options of the client (`-h`, `-u`, `-p`) are best in `~/.my.cnf`.

            \(GuideText.block(commands(metadata)))

            Triggers are made after the rows, so that they do not fire while these are loaded.

            What this way loses or does not do, compared with `dbtool restore`:

            - **NULL and the empty text**: the files write NULL as nothing and the empty text as `""`, and
              `LOAD DATA` cannot tell them apart. The lines above make NULL of both where the column may be
              NULL.
            - The text `NULL`, which `LOAD DATA` takes for NULL.
            - Texts that are none in UTF-8: bytes without a meaning become question marks.
            - `LOAD DATA` is never strict: look at its warnings.
            - Accounts that views, routines and triggers act for (`DEFINER`) must exist.
            - Nothing is counted and no fingerprint is compared.

            """
    }

    private static func commands(_ metadata: Metadata) -> String {
        let loads = metadata.tables.compactMap(load)
        let set = metadata.databaseProperties["character_set"] ?? "utf8mb4"
        let collation = metadata.databaseProperties["collation"] ?? "utf8mb4_general_ci"
        let creation =
            "CREATE DATABASE restored CHARACTER SET \(MySQLText.identifier(set)) COLLATE \(MySQLText.identifier(collation))"
        return """
            set -e
            sha256sum --quiet -c SHA256SUMS\(unpacking(metadata))
            mysql -e \(GuideText.quoted(creation))
            sed '/^\(MySQLScript.afterRows)/q' schema.sql | mysql restored
            \(loads.joined(separator: "\n"))
            sed '1,/^\(MySQLScript.afterRows)/d' schema.sql | mysql --default-character-set=utf8mb4 restored
            \(counters(metadata))
            """
    }

    private static func unpacking(_ metadata: Metadata) -> String {
        let isPacked = metadata.tables.contains { $0.file?.hasSuffix(".zst") ?? false }
        return isPacked ? "\ncommand -v zstd" : ""
    }

    private static func load(_ record: TableRecord) -> String? {
        guard let file = record.file else { return nil }
        let columns = record.columns.filter { !$0.isGenerated }
        let settings = columns.enumerated().map { index, column in
            "\(MySQLText.identifier(column.name)) = \(value(column, "@v\(index)"))"
        }
        let variables = columns.indices.map { "@v\($0)" }.joined(separator: ", ")
        let reader =
            file.hasSuffix(".zst")
            ? "zstd -dc \(GuideText.quoted(file))" : "cat \(GuideText.quoted(file))"
        let table = MySQLText.identifier(record.name)
        // Names of columns may have lines.
        let headerLines = record.header.count { $0 == 0x0A }
        let sql = """
            SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', \
            foreign_key_checks = 0; LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE \(table) \
            CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' \
            LINES TERMINATED BY '\\n' IGNORE \(headerLines) LINES (\(variables)) SET \(settings.joined(separator: ", ")); \
            SHOW WARNINGS
            """
        return "\(reader) | mysql --local-infile=1 restored -e \(GuideText.quoted(sql))"
    }

    /// What a column makes of its text.
    private static func value(_ column: Column, _ variable: String) -> String {
        switch MySQLColumn.encoding(ofType: column.type) {
        case .binary: "UNHEX(SUBSTR(NULLIF(\(variable), ''), 3))"
        case .bits: "CAST(NULLIF(\(variable), '') AS UNSIGNED)"
        case .instant: "REPLACE(NULLIF(\(variable), ''), '+00:00', '')"
        case .text, .coded:
            // What begins so is bytes of the column's own character set, or of UTF-8.
            """
            IF(CAST(LEFT(\(variable), 2) AS BINARY) = '\\\\x', CONVERT(UNHEX(SUBSTR(\(variable), 3)) USING \
            \(MySQLColumn.codedSet(ofType: column.type) ?? "utf8mb4")), IF(LENGTH(\(variable)) = 0, NULL, \(variable)))
            """
        case .plain, nil: "NULLIF(\(variable), '')"
        }
    }

    private static func counters(_ metadata: Metadata) -> String {
        let tables = Set(metadata.tables.map { ExactText($0.name) })
        let lines = metadata.sequences.map { counter in
            let name = MySQLText.identifier(counter.name)
            return tables.contains(ExactText(counter.name))
                ? "ALTER TABLE \(name) AUTO_INCREMENT = \(counter.lastValue);"
                : "ALTER SEQUENCE \(name) RESTART WITH \(counter.lastValue);"
        }
        guard !lines.isEmpty else { return "" }
        return "mysql restored \(GuideText.input(lines.joined(separator: "\n")))"
    }
}
