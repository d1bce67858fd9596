import BackupCore

/// How a table's rows are selected, whole or in ranges of its file.
struct PostgresRows: Sendable {
    /// Ranges are about this large: small enough to keep all connections busy to the end.
    static let rangeBytes = 32 << 20

    private let select: Select
    private let heapPages: Int
    private let totalBytes: Int

    private enum Select {
        case fixed(String)
        case table(TableName, columns: [String], filter: String?, splits: Bool)
    }

    /// The rows of a table, `sizes` being the bytes of its own file and of all that belongs to it.
    init(
        _ relation: PostgresCatalog.Relation, columns: [String],
        sizes: (heap: Int, total: Int), blockBytes: Int
    ) {
        self.init(
            relation.name, columns: columns, filter: relation.extensionFilter,
            splits: relation.isHeap, sizes: sizes, blockBytes: blockBytes)
    }

    /// `splits`: Whether the table is stored in pages that can be read by their numbers.
    init(
        _ table: TableName, columns: [String], filter: String?, splits: Bool,
        sizes: (heap: Int, total: Int), blockBytes: Int
    ) {
        select = .table(table, columns: columns, filter: filter, splits: splits)
        heapPages = sizes.heap / blockBytes
        totalBytes = sizes.total
    }

    /// Rows that a fixed query gives.
    init(query: String) {
        select = .fixed("COPY (\(query)) TO STDOUT (FORMAT csv)")
        (heapPages, totalBytes) = (0, 0)
    }

    /// The statements that together copy every row once.
    ///
    /// Ranges are half open, and the last has no end: pages added before the snapshot was taken but
    /// after the size was read belong to it.
    var statements: [String] {
        guard case .table(let table, let columns, let filter, let splits) = select else {
            if case .fixed(let statement) = select { return [statement] }
            return []
        }
        let condition = filter.flatMap(Self.condition)
        guard splits, !columns.isEmpty, totalBytes > Self.rangeBytes * 3 / 2 else {
            return [Self.statement(table, columns, condition.map { [$0] } ?? [])]
        }
        return ranges.map { range in
            let lower = range.lowerBound == 0 ? [] : ["ctid >= '(\(range.lowerBound),0)'::tid"]
            let upper =
                range.upperBound >= heapPages ? [] : ["ctid < '(\(range.upperBound),0)'::tid"]
            return Self.statement(table, columns, lower + upper + (condition.map { [$0] } ?? []))
        }
    }

    private var ranges: [Range<Int>] {
        let count = max(1, totalBytes / Self.rangeBytes)
        let pages = max(1, (heapPages + count - 1) / count)
        return stride(from: 0, to: max(1, heapPages), by: pages).map { $0..<($0 + pages) }
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
        let list = columns.map(SQLText.identifier).joined(separator: ", ")
        let condition = conditions.joined(separator: " AND ")
        return "COPY (SELECT \(list) FROM ONLY \(name) WHERE \(condition)) TO STDOUT (FORMAT csv)"
    }

    /// Extensions write their conditions with `WHERE` in front.
    private static func condition(_ filter: String) -> String? {
        let trimmed = filter.trimmingPrefix(/\s*/)
        guard !trimmed.isEmpty else { return nil }
        return "(\(trimmed.trimmingPrefix(/(?i)where\s/)))"
    }
}
