import Packing

/// How to find changed rows by a column.
public struct ColumnRequest: Sendable, Hashable {
    /// Names that such columns usually have, the likeliest first.
    public static let usualNames = ["updated_at", "modified_at", "last_modified", "changed_at"]

    /// The column's name; nil for the first of the usual ones that a table has.
    public var name: String?
    /// How far before the greatest value of the parent rows are read again: seconds, of a column of
    /// numbers so many.
    public var overlap = 7200
    /// Whether a number only ever grows over the whole table: a counter of each row's own does not
    /// tell what changed.
    public var isMonotonic = false

    /// By the column of that name, or by the usual ones.
    public init(name: String? = nil) { self.name = name }

    /// What is looked for, in words.
    var words: String { name.map { "column \($0)" } ?? "updated_at or the like" }

    /// The columns of the tables that have one.
    ///
    /// A table whose column of a usual name holds something else is left out, and `note` hears of it.
    /// - Throws: `BackupError.usage` when the column that was named cannot tell what changed, or when
    ///   no table has one that can.
    func columns(
        of tables: [Table], kind: (Column) -> ColumnKind?, note: (String) -> Void
    ) throws -> [TableName: ChangeColumn] {
        var columns: [TableName: ChangeColumn] = [:]
        var refusals: [BackupError] = []
        for table in tables {
            let candidates = (name.map { [$0] } ?? Self.usualNames).compactMap { name in
                table.storedColumns.first { ExactText($0.name) == ExactText(name) }
            }
            let usable = candidates.compactMap { column in
                kind(column).map { ChangeColumn(column: column, kind: $0) }
            }
            if let column = usable.first(where: { $0.kind == .time || isMonotonic }) {
                columns[table.name] = column
            } else if let column = candidates.first {
                refusals.append(refusal(of: column, in: table, kind(column)))
            }
        }
        if let refusal = refusals.first, name != nil || columns.isEmpty { throw refusal }
        guard !columns.isEmpty else {
            throw BackupError(
                .usage, "no table has a \(words) to find changes by",
                hint: "-basis column:NAME names another column; -basis auto needs none.")
        }
        for refusal in refusals { note("warning: \(refusal.message)") }
        return columns
    }

    private func refusal(of column: Column, in table: Table, _ kind: ColumnKind?) -> BackupError {
        let what = "\(table.name).\(column.name) is \(column.type)"
        guard kind == .number else {
            return BackupError(
                .usage, "\(what): only a timestamp, or a number that grows, tells what changed",
                hint: "-basis column:NAME names another column; -basis auto needs none.")
        }
        return BackupError(
            .usage, "\(what): a number that counts each row's own changes would lose some",
            hint: "--monotonic says that it only ever grows over the whole table.")
    }
}

/// A column that tells which rows of its table have changed.
public struct ChangeColumn: Sendable, Hashable {
    /// The column.
    public let column: Column
    /// What its values are.
    public let kind: ColumnKind
}

/// A value of such a column, ordered as the server orders it.
struct ColumnValue: Comparable {
    let text: String
    private let major: Int
    private let minor: String

    /// Reads a field as it stands in a CSV record; nil when it is NULL or no value of that kind.
    ///
    /// Times are ISO in one time zone: `2026-11-22 18:30:00.25+00`, `0044-03-15 12:00:00 BC`.
    init?(_ field: ArraySlice<UInt8>, kind: ColumnKind) {
        let text = String(decoding: field.filter { $0 != CSVDialect.quote }, as: UTF8.self)
        self.text = text
        switch (kind, text) {
        case (.number, _):
            guard let number = Int(text) else { return nil }
            (major, minor) = (number, "")
        case (.time, "infinity"): (major, minor) = (Int.max, "")
        case (.time, "-infinity"): (major, minor) = (Int.min, "")
        case (.time, _):
            guard let dash = text.firstIndex(of: "-"), let year = Int(text[..<dash]) else {
                return nil
            }
            major = text.hasSuffix(" BC") ? -year : year
            minor = String(text[dash...].prefix { $0 != "+" && $0 != "B" })
        }
    }

    /// Whether it is too far back to calculate with.
    var isAncient: Bool { text.hasSuffix(" BC") }

    static func < (left: ColumnValue, right: ColumnValue) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    static func == (left: ColumnValue, right: ColumnValue) -> Bool {
        (left.major, left.minor) == (right.major, right.minor)
    }
}

extension TableParent {
    /// The greatest value that a column has at the parent; nil when it has none.
    ///
    /// Where no index has told it, all rows are read.
    /// - Throws: `BackupError.damaged`.
    func maximum(of column: ChangeColumn) async throws -> ColumnValue? {
        // A name that only looks alike is another column's.
        if let text = record.latest?.first(where: { $0.key.isExactly(column.column.name) })?.value {
            return ColumnValue(Array(text.utf8)[...], kind: column.kind)
        }
        guard
            let position = record.storedColumns.firstIndex(where: {
                ExactText($0) == ExactText(column.column.name)
            })
        else { return nil }
        return try await reader.withRows(of: record, proving: .rows) { rows in
            var fields = KeyReader(positions: [position])
            var greatest: (bytes: [UInt8], value: ColumnValue)?
            while let batch = try await rows.next() {
                Self.addGreatest(of: batch, &fields, column.kind, to: &greatest)
            }
            return greatest?.value
        }
    }

    /// HOT PATH: every row of the parent passes here; values are read only where the bytes differ.
    private static func addGreatest(
        of batch: RowBatch, _ fields: inout KeyReader, _ kind: ColumnKind,
        to greatest: inout (bytes: [UInt8], value: ColumnValue)?
    ) {
        var field: [UInt8] = []
        batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in batch.ends {
                field.removeAll(keepingCapacity: true)
                fields.appendKey(
                    of: UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)]), to: &field)
                start = end
                guard field != greatest?.bytes, let value = ColumnValue(field[...], kind: kind)
                else { continue }
                if greatest.map({ $0.value < value }) ?? true { greatest = (field, value) }
            }
        }
    }
}
