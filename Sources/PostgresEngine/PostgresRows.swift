import BackupCore

/// How a table's rows are selected, whole or in ranges of its file.
struct PostgresRows: Sendable {
    /// Ranges are about this large: small enough to keep all connections busy to the end.
    static let rangeBytes = 32 << 20
    /// And not more rows, about: a differential holds what it knows of the ranges under way.
    private static let rangeRows = 256 << 10

    private let select: Select
    /// Why the rows' text may change without the rows; nil when it does not.
    private let instability: String?
    /// Why the rows' versions do not tell what changed; nil when they do.
    private let loss: String?
    /// How many pages are a range; empty where all rows are read at once.
    let split: String
    private let heapPages: Int

    private enum Select {
        case fixed(String)
        case table(TableName, columns: [String], filter: String?, splits: Bool)
    }

    /// The rows of a table, `sizes` being the bytes of its own file and of all that belongs to it.
    init(
        _ relation: PostgresCatalog.Relation, columns: [String],
        sizes: (heap: Int, total: Int), blockBytes: Int, holdsNames: Bool
    ) {
        self.init(
            relation.name, columns: columns, filter: relation.extensionFilter,
            splits: relation.isHeap, sizes: sizes, blockBytes: blockBytes,
            rowEstimate: relation.rowEstimate,
            instability: holdsNames
                ? "it holds names of other things, which are renamed elsewhere" : nil,
            loss: Self.loss(relation, columns))
    }

    /// Why the versions of a table's rows say nothing about their text.
    private static func loss(_ relation: PostgresCatalog.Relation, _ columns: [String]) -> String? {
        if !relation.isHeap { return "it is not stored as a heap" }
        if columns.count < 2 { return "its key is all that it has" }
        return nil
    }

    /// `splits`: Whether the table is stored in pages that can be read by their numbers.
    init(
        _ table: TableName, columns: [String], filter: String?, splits: Bool,
        sizes: (heap: Int, total: Int), blockBytes: Int, rowEstimate: Int? = nil,
        instability: String? = nil,
        loss: String? = "nobody has asked"
    ) {
        self.instability = instability
        self.loss = loss
        select = .table(table, columns: columns, filter: filter, splits: splits)
        heapPages = sizes.heap / blockBytes
        split =
            splits
            ? Self.pagesPerRange(heapPages, totalBytes: sizes.total, rows: rowEstimate ?? 0) : ""
    }

    /// Rows that a fixed query gives.
    init(query: String) {
        select = .fixed("COPY (\(query)) TO STDOUT (FORMAT csv)")
        instability = "it is no table of its own"
        loss = instability
        (heapPages, split) = (0, "")
    }

    /// The statements that together copy every row once.
    ///
    /// Ranges are half open, and the last has no end: pages added before the snapshot was taken but
    /// after the size was read belong to it.
    var statements: [String] { statements(split: split) }

    /// The same, divided as some split says.
    func statements(split: String) -> [String] {
        guard case .table(let table, let columns, let filter, _) = select else {
            if case .fixed(let statement) = select { return [statement] }
            return []
        }
        let ranges = conditions(columns.isEmpty ? "" : split)
        guard let words = filter, !words.allSatisfy(\.isWhitespace) else {
            return ranges.map { Self.statement(table, columns, $0) }
        }
        return ranges.map { Self.statement(table, columns, filter: words, $0) }
    }

    /// What a row fulfils that may have changed; or why nothing tells.
    func marking(by mark: RowMark) -> Result<String, PostgresRowsLoss> {
        guard case .table(_, _, let filter, _) = select else {
            return .failure(PostgresRowsLoss(reason: instability ?? ""))
        }
        if filter != nil {
            return .failure(PostgresRowsLoss(reason: "an extension's condition selects its rows"))
        }
        if let instability { return .failure(PostgresRowsLoss(reason: instability)) }
        if case .versions = mark, let loss { return .failure(PostgresRowsLoss(reason: loss)) }
        guard let condition = Self.condition(mark) else {
            return .failure(PostgresRowsLoss(reason: "the parent has no horizon"))
        }
        return .success(condition)
    }

    /// For each part of the table a statement that copies the keys of the rows without a mark, in the
    /// order of the heap and with an empty first field for those with one, and a statement that copies these.
    ///
    /// Two passes over the pages cost the server less than one that has a field for each column; and most
    /// parts have no marked rows, so that one is enough.
    func markedStatements(
        key: [String], marking condition: String, split: String
    ) -> [(keys: String, rows: String)] {
        guard case .table(let table, let columns, _, _) = select else { return [] }
        let keys = key.map(SQLText.identifier)
        let list = ["CASE WHEN NOT \(condition) THEN \(keys[0]) END"] + keys.dropFirst()
        return conditions(split).map { range in
            (
                Self.statement(table, list: list, range),
                Self.statement(table, columns, range + [condition])
            )
        }
    }

    /// The statements that copy every row once: its key, its mark, and all of it.
    func statementsWithMarks(
        key: [String], marking condition: String, split: String
    ) -> [String] {
        guard case .table(let table, let columns, _, _) = select else { return [] }
        let list =
            key.map(SQLText.identifier) + [condition] + columns.map(SQLText.identifier)
        return conditions(split).map { Self.statement(table, list: list, $0) }
    }

    /// What a row fulfils that may have changed, and never NULL; nil where nothing tells.
    ///
    /// The age of a row's version survives freezing. A column's condition is one that an index can
    /// answer.
    private static func condition(_ mark: RowMark) -> String? {
        switch mark {
        case .versions(let parent):
            // The oldest transaction that was open at the parent's snapshot.
            guard let horizon = PostgresIdentity(parent).horizon else { return nil }
            return "(pg_catalog.age(xmin) <= pg_catalog.age("
                + "'\(UInt32(truncatingIfNeeded: horizon))'::xid))"
        case .column(let change, let value):
            let name = SQLText.identifier(change.column.name)
            let bound = "\(SQLText.literal(value))::\(change.column.type)"
            let never =
                change.kind == .time ? " OR \(name) = '-infinity'::\(change.column.type)" : ""
            return "(\(name) IS NULL OR \(name) >= \(bound)\(never))"
        }
    }

    /// The statements that copy the rows of some keys.
    func statements(key: [Column], values: [[String]]) -> [String] {
        guard case .table(let table, let columns, _, _) = select else { return [] }
        let names = key.map { SQLText.identifier($0.name) }.joined(separator: ", ")
        return stride(from: 0, to: values.count, by: Self.keysPerStatement).map { start in
            let rows = values[start..<min(start + Self.keysPerStatement, values.count)].map { row in
                "("
                    + zip(row, key).map { "\(SQLText.literal($0))::\($1.type)" }
                    .joined(separator: ", ") + ")"
            }
            return Self.statement(
                table, columns, ["(\(names)) IN (VALUES \(rows.joined(separator: ", ")))"])
        }
    }

    private static let keysPerStatement = 1000

    /// The split of a table as it was once, where that gives ranges of a sensible size.
    func split(like other: String) -> String {
        guard let pages = Int(split), let wanted = Int(other),
            (pages / 4...pages * 4).contains(wanted)
        else { return split }
        return other
    }

    private static func pagesPerRange(_ heapPages: Int, totalBytes: Int, rows: Int) -> String {
        guard totalBytes > rangeBytes * 3 / 2 else { return "" }
        let count = max(1, totalBytes / rangeBytes, rows / rangeRows)
        return "\(max(1, (heapPages + count - 1) / count))"
    }

    /// The conditions of each range; none for the whole of a small table.
    private func conditions(_ split: String) -> [[String]] {
        guard let pages = Int(split), pages > 0 else { return [[]] }
        return stride(from: 0, to: max(1, heapPages), by: pages).map { first in
            let lower = first == 0 ? [] : ["ctid >= '(\(first),0)'::tid"]
            let next = first + pages
            return lower + (next >= heapPages ? [] : ["ctid < '(\(next),0)'::tid"])
        }
    }

    /// `ONLY`: rows of children belong to the children.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/sql-copy.html>
    private static func statement(
        _ table: TableName, _ columns: [String], _ conditions: [String]
    ) -> String {
        let name = SQLText.qualified(table)
        guard !conditions.isEmpty else {
            return "COPY \(name)\(SQLText.columnList(columns)) TO STDOUT (FORMAT csv)"
        }
        return statement(table, list: columns.map(SQLText.identifier), conditions)
    }

    private static func statement(
        _ table: TableName, list: [String], _ conditions: [String]
    ) -> String {
        let all = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        let (names, name) = (list.joined(separator: ", "), SQLText.qualified(table))
        return "COPY (SELECT \(names) FROM ONLY \(name)\(all)) TO STDOUT (FORMAT csv)"
    }

    /// Only what an extension's filter selects: anything that may stand behind a table, as pg_dump takes it.
    ///
    /// A range is of what it selects, since its words may not be in brackets, and need not be a condition.
    private static func statement(
        _ table: TableName, _ columns: [String], filter: String, _ range: [String]
    ) -> String {
        let list = columns.map(SQLText.identifier)
        func selected(_ list: [String]) -> String {
            // On a line of its own a bracket is not part of a comment.
            "SELECT \(list.joined(separator: ", ")) FROM ONLY \(SQLText.qualified(table)) \(filter)\n"
        }
        guard !range.isEmpty else { return "COPY (\(selected(list))) TO STDOUT (FORMAT csv)" }
        return """
            COPY (SELECT \(list.joined(separator: ", ")) FROM (\(selected(["ctid"] + list))) selected \
            WHERE \(range.joined(separator: " AND "))) TO STDOUT (FORMAT csv)
            """
    }
}

/// Why row versions do not tell what changed in a table.
struct PostgresRowsLoss: Error {
    let reason: String
}
