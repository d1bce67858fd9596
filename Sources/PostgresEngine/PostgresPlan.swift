import BackupCore

/// What is made, dropped and loaded: decided from the backup's archive and what the target holds.
struct PostgresPlan: Sendable {
    /// For people, and for the operation.
    var target = TargetPlan()
    /// Entries of the archive that are made.
    var chosen: Set<Int> = []
    /// Comments on extensions that are made only where the restoring role turns out to own these.
    var extensionComments: Set<Int> = []
    /// Entries of the archive that are dropped first.
    var drops: Set<Int> = []
    /// Attachments to partitioned tables that were there before: made after the partition's indexes.
    var lateAttachments: Set<Int> = []
    /// Attachments of parts whose rows may belong to other parts here, and of parts that are there to wholes that are not:
    /// made after these rows, where the server lets it.
    var strayAttachments: Set<Int> = []
    /// Foreign keys to tables that were there before: their rows may not fit.
    var doubtful: Set<Int> = []
    /// Tables that are made and may inherit from such as were there before, as an archive lists them.
    var heirs: Set<TableName> = []
    /// Sequences to set.
    var sequences: [TableName: SequenceMove] = [:]
    /// The wholes that sequences number which are set with the rows of all their parts, by the names that archives list.
    var numberedWholes: [TableName: Set<TableName>] = [:]
    /// Tables that are loaded again because a crash has taken rows of an interrupted restore, by their names in the backup.
    var lost: [TableName] = []
    /// Tables that are emptied for no other reason, and must hold no rows of others, by their names in the backup.
    var refilled: Set<TableName> = []
    /// Tables that rows are added to again after such a crash.
    var addedAgain: [TableName] = []
    /// The transactions by which an interrupted restore has loaded tables, as `xmin` shows them.
    var transactions: [String] = []
    /// Tables that an interrupted restore may have committed a part of, by their names in the backup.
    var halfLoaded: Set<TableName> = []
    /// Whether a table that has the new name is dropped first.
    var dropsCopy = false
    /// The new name of the one table, and the entry that makes it.
    var renamed: (entry: Int, from: TableName, to: TableName)?

    var attachedAfterRows: Set<Int> { lateAttachments.union(strayAttachments) }

    /// How a sequence is set.
    enum SequenceMove: Sendable {
        /// To where it stood: this restore makes it.
        case exactly
        /// The same, unless somebody has used it and is further already: an interrupted restore has made it.
        case unlessUsed
        /// To where it stood, while the tables are locked whose rows are replaced: it numbers nothing else.
        case withRows
        /// To where it stood, unless it is further already; while tables are locked, where such are changed.
        case forward
    }
}
