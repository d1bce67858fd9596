public import BackupCore

/// Rows that several tasks take batch by batch.
public actor BatchQueue {
    private var rows: ArraySlice<[String?]>
    private let rowsPerBatch: Int
    private let failsAfter: Int?
    private let stallsAfter: Int?
    private var batches = 0

    /// `failsAfter`: After so many batches it throws `DeliberateFailure`; `stallsAfter`: it gives
    /// nothing more, until its taker is cancelled.
    public init(
        _ rows: [[String?]], rowsPerBatch: Int = 7, failsAfter: Int? = nil, stallsAfter: Int? = nil
    ) {
        self.rows = rows[...]
        self.rowsPerBatch = rowsPerBatch
        self.failsAfter = failsAfter
        self.stallsAfter = stallsAfter
    }

    /// The next rows; nil when there are no more.
    @Sendable public func next() async throws -> RowBatch? {
        if batches == failsAfter { throw DeliberateFailure() }
        if batches == stallsAfter { try await Task.sleep(for: .seconds(1200)) }
        guard !rows.isEmpty else { return nil }
        batches += 1
        defer { rows = rows.dropFirst(rowsPerBatch) }
        return RowBatch(rows: rows.prefix(rowsPerBatch))
    }
}
