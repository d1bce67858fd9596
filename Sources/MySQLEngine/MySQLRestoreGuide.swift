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
            - MySQL's `JSON` gets its numbers from a text: a decimal of many digits becomes a floating point number.
            - `LOAD DATA` is never strict: look at its warnings.
            - What tables compute from `TIMESTAMP` or by `FROM_UNIXTIME` (stored columns, keys, partitions) is computed in UTC. In another time zone it is
              computed by `SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = 'ZONE';` and then
              `ALTER TABLE NAME FORCE, ALGORITHM = COPY;` (without the mode it may change dates that no calendar has).
            - What tables compute from texts that are no day (`2021-02-31`) becomes such a day, by `ALLOW_INVALID_DATES`.
              Leave that out where no column of `DATE` or `DATETIME` holds such days.
            - Accounts that views, routines and triggers act for (`DEFINER`) must exist.
            - Nothing is counted and no fingerprint is compared.
            \(points(metadata))
            """
    }

    /// What changed since lies inside the backup's folder.
    private static func points(_ metadata: Metadata) -> String {
        let example = metadata.tables.first { !$0.key.isEmpty && $0.file != nil }
        guard let example, let file = example.file else { return "" }
        let table = MySQLText.identifier(example.name)
        let stem = file.split(separator: "/").last?.prefix { $0 != "." } ?? ""
        let stored = example.columns.filter { !$0.isGenerated }
        let key = example.key.compactMap { name in stored.first { $0.name.isExactly(name) } }
        func names(_ columns: [Column]) -> String {
            columns.map { MySQLText.identifier($0.name) }.joined(separator: ", ")
        }
        func step(_ kind: String, _ columns: [Column], _ more: String = "") -> String {
            let path = "$point/\(stem)_\(kind).csv"
            let sql = """
                \(session); CREATE TEMPORARY TABLE dbtool_rows AS SELECT \(names(columns)) FROM \(table) LIMIT 0; \
                \(loading(columns, into: "dbtool_rows")); \
                DELETE t FROM \(table) t JOIN dbtool_rows USING (\(names(key)))\(more)
                """
            // What did not change has no file, and it may be packed where the full's is not.
            return """
                if [ -e "\(path)" ] || [ -e "\(path).zst" ]; then
                { cat "\(path)" 2> /dev/null || zstd -dc "\(path).zst"; } |
                  \(client) --local-infile=1 restored -e \(GuideText.quoted(sql))
                fi
                """
        }
        let commands = """
            set -e
            point=.backup_diff/FOLDER
            test -e "$point/metadata.json"
            \(step("deleted", key))
            \(step("diff", stored, "; INSERT INTO \(table) (\(names(stored))) SELECT \(names(stored)) FROM dbtool_rows"))
            """
        return GuideText.changes(
            structure: "schema.sql",
            when: "Do it before the second half of `schema.sql`: its triggers would fire.",
            table: example.name, commands)
    }

    /// Names and values are UTF-8, whatever the shell's language is.
    private static let client = "mysql --default-character-set=utf8mb4"
    /// What keeps statements as they are: line ends of two bytes, and comments.
    private static let whole = "--binary-mode --comments"

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
            sed '/^\(MySQLScript.afterRows)/q' schema.sql | \(client) \(Self.whole) restored
            \(loads.joined(separator: "\n"))
            sed '1,/^\(MySQLScript.afterRows)/d' schema.sql | \(client) \(Self.whole) restored
            \(counters(metadata))
            """
    }

    private static func unpacking(_ metadata: Metadata) -> String {
        let isPacked = metadata.tables.contains { $0.file?.hasSuffix(".zst") ?? false }
        return isPacked ? "\ncommand -v zstd" : ""
    }

    private static func load(_ record: TableRecord) -> String? {
        guard let file = record.file else { return nil }
        let reader =
            file.hasSuffix(".zst")
            ? "zstd -dc \(GuideText.quoted(file))" : "cat \(GuideText.quoted(file))"
        let table = MySQLText.identifier(record.name)
        let loading = loading(record.columns.filter { !$0.isGenerated }, into: table)
        let sql = "\(session); \(loading); SHOW WARNINGS"
        return "\(reader) | \(client) --local-infile=1 restored -e \(GuideText.quoted(sql))"
    }

    /// What statements that load rows need.
    private static let session = """
        SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', foreign_key_checks = 0
        """

    /// The statement that loads a file of such columns from standard input.
    private static func loading(_ columns: [Column], into table: String) -> String {
        let settings = columns.enumerated().map { index, column in
            "\(MySQLText.identifier(column.name)) = \(value(column, "@v\(index)"))"
        }
        // Where all columns are computed each line is empty, and still a row.
        let variables =
            columns.isEmpty ? "@v0" : columns.indices.map { "@v\($0)" }.joined(separator: ", ")
        let set = settings.isEmpty ? "" : " SET \(settings.joined(separator: ", "))"
        // Names of columns may have lines.
        let headerLines = CSVDialect.record(columns.map(\.name)).count { $0 == 0x0A }
        return """
            LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE \(table) \
            CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' \
            LINES TERMINATED BY '\\n' IGNORE \(headerLines) LINES (\(variables))\(set)
            """
    }

    /// What a column makes of its text.
    private static func value(_ column: Column, _ variable: String) -> String {
        switch MySQLColumn.encoding(ofType: column.type) {
        // Its values are numbers, which stand for its labels.
        case _ where MySQLColumn.isSetWithEmptyLabel(column.type):
            "CAST(NULLIF(\(variable), '') AS UNSIGNED)"
        case .text where MySQLColumn.mayBlur(column.type): number(column.type, variable)
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

    /// The number of a value whose labels look alike: it stands there itself where the source took some of them for equal, and its
    /// labels where not.
    ///
    /// In a text of a set with signs of several bytes the server reads no number.
    private static func number(_ type: String, _ variable: String) -> String {
        let labels = MySQLTokens(type).tokens.compactMap(\.literal).map { MySQLText.literal($0) }
        let text = """
            IF(CAST(LEFT(\(variable), 2) AS BINARY) = '\\\\x', UNHEX(SUBSTR(\(variable), 3)), \
            CAST(\(variable) AS BINARY))
            """
        let bits = labels.enumerated().map { "(FIND_IN_SET(\($1), \(text)) > 0) << \($0)" }
        let number =
            type.lowercased().hasPrefix("set(")
            ? bits.joined(separator: " | ") : "FIELD(\(text), \(labels.joined(separator: ", ")))"
        return """
            CAST(IF(LENGTH(\(variable)) = 0, NULL, IF(\(variable) REGEXP '^\(MySQLColumn.zeros(besides: type))[0-9]+$', \
            \(variable), \(number))) AS UNSIGNED)
            """
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
        return "\(client) restored \(GuideText.input(lines.joined(separator: "\n")))"
    }
}
