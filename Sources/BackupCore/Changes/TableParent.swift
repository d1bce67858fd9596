/// A table as the parent point has it: what the live rows are compared with.
struct TableParent: Sendable {
    let reader: PointReader
    let record: TableRecord

    /// Runs `body` with every key of the parent, from its row index, or from its rows where that is
    /// missing or damaged: it is a cache.
    ///
    /// `body` may run twice.
    func withKeys<Result: Sendable>(
        note: @Sendable (String) -> Void, _ body: (any KeySource) async throws -> Result
    ) async throws -> Result {
        do {
            return try await reader.withKeys(of: record, fromIndex: true, body)
        } catch let error as BackupError where error.code == .damaged {
            note("warning: \(error.message); the rows of \(record.tableName) are read instead")
            return try await reader.withKeys(of: record, fromIndex: false, body)
        }
    }
}
