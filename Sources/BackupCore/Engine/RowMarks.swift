/// What marks the rows that may have changed since another snapshot.
public enum RowMark: Sendable {
    /// The source's own version of each row; that snapshot's `SnapshotMoment.identity`.
    case versions(since: [String: String])
    /// A column: rows from this value on, in the column's own text, and rows without a usable value.
    case column(ChangeColumn, from: String)
}

/// How rows that may have changed are selected.
public enum MarkedSelection<Part: Sendable>: Sendable {
    /// By these.
    case parts([Part])
    /// Not at all, and why.
    case impossible(String)
}

/// A part of a table in two: what has not changed, of which only the keys are read, and the rest.
public struct MarkedPart: Sendable {
    /// Records of the key's fields; the first one is NULL where the row is marked.
    public let keys: TablePart
    /// Records of the stored columns of the marked rows; not read where there are none.
    public let rows: TablePart

    /// Describes both.
    public init(keys: TablePart, rows: TablePart) {
        self.keys = keys
        self.rows = rows
    }
}

/// What the values of a column are, as far as they can tell what changed.
public enum ColumnKind: Sendable, Hashable {
    /// Times, with or without a time zone.
    case time
    /// Whole numbers.
    case number
}

/// From where on the values of a column may be new since another snapshot.
public enum ColumnBound: Sendable {
    /// From this value on; `isAhead`: the column already had values in the future then.
    case from(String, isAhead: Bool)
    /// Nobody knows, and why.
    case impossible(String)
}

/// Who sees to it that a column tells the truth.
public struct ColumnUpkeep: Sendable {
    /// Whether rows may be without a value.
    public var isNullable: Bool
    /// Whether new rows get a value by themselves.
    public var hasDefault: Bool
    /// Whether something other than the application may set it when a row is updated.
    public var isSetOnUpdate: Bool

    /// Describes it.
    public init(isNullable: Bool, hasDefault: Bool, isSetOnUpdate: Bool) {
        self.isNullable = isNullable
        self.hasDefault = hasDefault
        self.isSetOnUpdate = isSetOnUpdate
    }
}
