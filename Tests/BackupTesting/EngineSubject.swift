public import BackupCore

/// What a check of `EngineContract` works with: everything in it is the check's own.
public struct EngineSubject: Sendable {
    /// Reads a source that is as `sample` says.
    public var engine: any Engine
    /// What the source holds.
    public var sample: EngineSample
    /// A database that does not exist yet; whoever made the subject removes it afterwards.
    public var target: String
    /// Adds `sample.lateRow` to the source.
    public var addLateRow: @Sendable () async throws -> Void
    /// Drops `sample.items` from the source, or fails where somebody keeps it.
    public var dropItems: @Sendable () async throws -> Void
    /// The rows of a table of `target`, in any order.
    public var targetRows: @Sendable (TableName) async throws -> [[String?]]
    /// Where a sequence of `target` stands.
    public var targetSequence: @Sendable (TableName) async throws -> SequenceValue

    /// Gathers what a check needs.
    public init(
        engine: any Engine, sample: EngineSample, target: String,
        addLateRow: @escaping @Sendable () async throws -> Void,
        dropItems: @escaping @Sendable () async throws -> Void,
        targetRows: @escaping @Sendable (TableName) async throws -> [[String?]],
        targetSequence: @escaping @Sendable (TableName) async throws -> SequenceValue
    ) {
        self.engine = engine
        self.sample = sample
        self.target = target
        self.addLateRow = addLateRow
        self.dropItems = dropItems
        self.targetRows = targetRows
        self.targetSequence = targetSequence
    }
}
