public import BackupCore

/// Gathers rows that arrive in batches from several tasks, and checks each batch's borders.
public actor RowCollector {
    /// The rows so far.
    public private(set) var rows: [[String?]] = []

    /// No rows yet.
    public init() {}

    /// Takes a batch.
    ///
    /// - Throws: `ContractViolation` when it does not hold whole records.
    public func take(_ batch: RowBatch) throws {
        try demand(batch.ends.last ?? 0, equals: batch.bytes.count, "the end of the last record")
        try demand(batch.ends == batch.ends.sorted(), "the ends of records are not ascending")
        try demand(
            batch.ends.allSatisfy { $0 > 0 && batch.bytes[$0 - 1] == CSVDialect.lineEnd },
            "a record does not end in a line feed")
        rows += try batch.records.map { try CSVDialect.fields(of: $0) }
    }

    /// The rows in an order that does not depend on how they arrived.
    public var sorted: [[String?]] { rows.sortedRows }
}

extension [[String?]] {
    /// In an order that does not depend on how they arrived.
    public var sortedRows: [[String?]] {
        sorted { CSVDialect.record($0).lexicographicallyPrecedes(CSVDialect.record($1)) }
    }
}
