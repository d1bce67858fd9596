import BackupCore

/// What the system catalogs say about a database: the queries, and their rows as values.
///
/// They may wait for whoever makes a table anew, as long as `lock_wait_timeout` says.
/// Cancelling the task ends that.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/information-schema.html>
struct MySQLCatalog {
    let connection: MySQLConnection
    let database: String

    /// What `information_schema.TABLES` lists.
    struct Relation: Sendable {
        enum Kind: Sendable { case table, view, sequence }

        let name: TableName
        let kind: Kind
        /// InnoDB and nothing else has snapshots.
        let storage: String
        let rowEstimate: Int
        let bytes: Int
        /// Changes when the table is made anew.
        let created: String
        /// Whether it holds the rows that it had too (MariaDB).
        let isVersioned: Bool

        var isTransactional: Bool { storage.lowercased() == "innodb" }
        /// Whether a range of its key can be read without all other rows, because it keeps them in that order.
        ///
        /// ARCHIVE, MEMORY and CSV would be read whole for each range, and MyISAM and Aria from all over their files.
        var isInOrder: Bool { ["innodb", "rocksdb"].contains(storage.lowercased()) }
        /// Whether its rows are those of other tables or servers: to store them would be to store them twice, and to
        /// restore them to write there.
        var isElsewhere: Bool { Self.windows.contains(storage.lowercased()) }

        private static let windows: Set<String> = [
            "mrg_myisam", "federated", "connect", "spider", "sphinx", "s3", "mroonga_wrapper",
            "oqgraph", "ndbinfo",
        ]
    }

    /// All, or some; without what an unfinished restore has left.
    func relations(of names: [String]? = nil) async throws -> [Relation] {
        try await connection.rowsInterruptibly(
            """
            SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, CREATE_TIME
            FROM information_schema.TABLES WHERE \(place(names))
              AND NOT (\(MySQLText.isName("TABLE_NAME", MySQLRestoreMark.table)))
            """
        ).map { row in
            let type = row[1] ?? ""
            return Relation(
                name: TableName(schema: database, name: row[0] ?? ""),
                kind: type.hasSuffix("VIEW") ? .view : type == "SEQUENCE" ? .sequence : .table,
                storage: row[2] ?? "", rowEstimate: Int(row[3] ?? "") ?? 0,
                bytes: Int(row[4] ?? "") ?? 0, created: row[5] ?? "",
                isVersioned: type == "SYSTEM VERSIONED")
        }.sorted { $0.name < $1.name }
    }

    /// The server's own numbers of the database's tables, or of some and their partitions, which move with them when
    /// they are renamed; nil where the account may not see them.
    func numbers(of names: [String]? = nil) async -> [[String?]]? {
        if names?.isEmpty ?? false { return [] }
        let wanted = names.map { Set($0.map { $0.lowercased() }) }
        let takesOdd = names?.contains { !Self.isPlain($0) } ?? true
        for table in ["INNODB_TABLES", "INNODB_SYS_TABLES"] {
            let rows = try? await connection.rows(
                """
                SELECT NAME, TABLE_ID FROM information_schema.\(table)
                WHERE NAME LIKE \(MySQLText.literal(Self.filePattern(database) + "/%")) ESCAPE '|'
                ORDER BY NAME, TABLE_ID
                """)
            guard let rows else { continue }
            return rows.filter { row in
                let file = (row[0] ?? "").drop { $0 != "/" }.dropFirst().prefix { $0 != "#" }
                return file.contains("@")
                    ? takesOdd : wanted?.contains(file.lowercased()) ?? true
            }
        }
        return nil
    }

    /// The names there are those of files, `database/table#P#partition`, in which odd characters are `@` and a code that no
    /// server tells: what is named oddly is not told apart.
    private static func filePattern(_ name: String) -> String {
        var pattern = ""
        for byte in name.utf8 {
            if isPlain(byte) {
                pattern += byte == UInt8(ascii: "_") ? "|_" : String(Unicode.Scalar(byte))
            } else if !pattern.hasSuffix("@%") {
                pattern += "@%"
            }
        }
        return pattern
    }

    private static func isPlain(_ name: String) -> Bool { name.utf8.allSatisfy(isPlain) }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Procedures and functions that the account may call or alter, but not see what makes them.
    func hiddenRoutines() async throws -> [String] {
        try await connection.rowsInterruptibly(
            """
            SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME FROM information_schema.ROUTINES
            WHERE \(MySQLText.isDatabase("ROUTINE_SCHEMA", database)) AND ROUTINE_DEFINITION IS NULL
            ORDER BY 1, 2
            """
        ).map { "\($0[0] ?? "") \($0[1] ?? "")" }
    }

    /// Libraries of JavaScript, which MySQL has since 9.2.
    func libraries() async -> [String] {
        let rows = try? await connection.rows(
            """
            SELECT LIBRARY_NAME FROM information_schema.LIBRARIES
            WHERE LIBRARY_SCHEMA = \(MySQLText.literal(database)) ORDER BY 1
            """)
        return (rows ?? []).compactMap { $0[0] }
    }

    /// The columns of all tables, or of some, in their order.
    func columns(of names: [String]? = nil) async throws -> [TableName: [MySQLColumn]] {
        let here = place(names)
        // Two queries: joined, the catalogs would take a table `A` for a table `a`.
        let tables = try await connection.rowsInterruptibly(
            """
            SELECT TABLE_NAME FROM information_schema.TABLES
            WHERE \(here) AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
            """)
        let known = Set(tables.compactMap { $0[0].map(ExactText.init) })
        let rows = try await connection.rowsInterruptibly(
            """
            SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, ORDINAL_POSITION, EXTRA, CHARACTER_SET_NAME,
                   IS_NULLABLE, COLLATION_NAME, TABLE_NAME, GENERATION_EXPRESSION
            FROM information_schema.COLUMNS WHERE \(here) ORDER BY TABLE_NAME, ORDINAL_POSITION
            """)
        var columns: [TableName: [MySQLColumn]] = [:]
        var blurred: [[String?]: Bool] = [:]
        for row in rows where known.contains(ExactText(row[8] ?? "")) {
            let table = TableName(schema: database, name: row[8] ?? "")
            let choice = [row[1], row[5], row[7]]
            if blurred[choice] == nil { blurred[choice] = try await isBlurred(row) }
            columns[table, default: []].append(
                try MySQLColumn(row, of: table, isBlurred: blurred[choice] ?? false))
        }
        return columns
    }

    /// Whether a column has labels that its collation does not tell apart, or a set an empty one, which is as good as none.
    private func isBlurred(_ row: [String?]) async throws -> Bool {
        let kind = (row[2] ?? "").lowercased()
        guard ["enum", "set"].contains(kind) else { return false }
        let labels = MySQLTokens(row[1] ?? "").tokens.compactMap(\.literal)
        if kind == "set", labels.contains("") { return true }
        // What is equal the server alone knows: kana of both kinds, v and w, signs that some collations ignore.
        guard let set = row[5], let collation = row[7], labels.count > 1, set != "binary",
            !collation.hasSuffix("_bin")
        else { return false }
        let values = labels.map { "SELECT CONVERT(\(MySQLText.literal($0)) USING \(set)) AS l" }
            .joined(separator: " UNION ALL ")
        let count = try await connection.value(
            "SELECT COUNT(DISTINCT l COLLATE \(collation)) FROM (\(values)) labels")
        return count.flatMap { Int($0) } != labels.count
    }

    /// For each table a digest of what the text of its rows depends on beside the rows.
    func textDigests() async throws -> [TableName: String] {
        let rows = try await connection.rowsInterruptibly(
            """
            SELECT MAX(TABLE_NAME), SHA2(GROUP_CONCAT(
              CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME,
                IF(DATA_TYPE IN ('enum', 'set'), COLLATION_NAME, NULL))
              ORDER BY ORDINAL_POSITION SEPARATOR '\n'), 256)
            FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \(MySQLText.literal(database))
            GROUP BY CAST(TABLE_NAME AS BINARY)
            """)
        return rows.reduce(into: [:]) {
            $0[TableName(schema: database, name: $1[0] ?? "")] = $1[1]
        }
    }

    /// The condition of a catalog's rows for all tables, or for some; other case may come along.
    private func place(_ names: [String]?) -> String {
        if names?.isEmpty ?? false { return "1 = 0" }
        let list = names.map { $0.map(MySQLText.literal).joined(separator: ", ") }
        let chosen = list.map { " AND TABLE_NAME IN (\($0))" } ?? ""
        return "TABLE_SCHEMA = \(MySQLText.literal(database))\(chosen)"
    }

    /// The unique indexes on whole columns of all tables, or of some, the primary key first.
    func uniqueIndexes(
        of names: [String]? = nil
    ) async throws -> [TableName: [MySQLUniqueIndex]] {
        let rows = try await connection.rowsInterruptibly(
            """
            SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART
            FROM information_schema.STATISTICS
            WHERE \(place(names)) AND NON_UNIQUE = 0
            ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', CAST(INDEX_NAME AS BINARY), SEQ_IN_INDEX
            """)
        var indexes: [TableName: [(name: String, columns: [String])]] = [:]
        var unfit: Set<[ExactText]> = []
        for row in rows {
            let (table, index) = (row[0] ?? "", row[1] ?? "")
            let name = TableName(schema: database, name: table)
            // A part of a column, or an expression, which has no column.
            if row[3] != nil || row[2] == nil {
                unfit.insert([ExactText(table), ExactText(index)])
            }
            var known = indexes[name] ?? []
            if let last = known.indices.last, known[last].name.isExactly(index) {
                known[last].columns.append(row[2] ?? "")
            } else {
                known.append((index, [row[2] ?? ""]))
            }
            indexes[name] = known
        }
        return indexes.reduce(into: [:]) { result, entry in
            result[entry.key] = entry.value
                .filter { !unfit.contains([ExactText(entry.key.name), ExactText($0.name)]) }
                .map { MySQLUniqueIndex(name: $0.name, columns: $0.columns) }
        }
    }

    /// The index whose columns identify a row; nil without a usable one.
    static func key(
        among indexes: [MySQLUniqueIndex], of columns: [MySQLColumn]
    ) -> MySQLUniqueIndex? {
        let byName = Dictionary(columns.map { (ExactText($0.column.name), $0) }) { first, _ in first
        }
        return indexes.lazy.map { index in
            // MariaDB adds the end of a row's time to the unique indexes of tables that keep it; of rows of now it is the
            // same for all, so that the other columns tell them apart.
            MySQLUniqueIndex(
                name: index.name,
                columns: index.columns.filter { !(byName[ExactText($0)]?.isRowEnd ?? false) })
        }.first { index in
            !index.columns.isEmpty
                && index.columns.allSatisfy { name in
                    byName[ExactText(name)].map { column in
                        !column.isNullable && column.mayIdentify && !column.column.isGenerated
                    } ?? false
                }
        }
    }
}
