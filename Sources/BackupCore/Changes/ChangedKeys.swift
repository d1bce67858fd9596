import Packing

/// What a join has found, held against every key of the parent once more.
///
/// A join pairs rows, a layer speaks of keys: what it says of one counts for all rows of the parent that have it. Where a
/// broken unique index let two rows have one key, one of them may be gone and the other unchanged, and no join sees both.
struct ChangedKeys {
    private let outcome: ChangeJoin.Outcome
    private let table: TableName
    private let filter: DigestFilter
    /// How many rows of the parent have a key that is gone, and one that has other values now.
    private var (gone, changed) = (0, 0)

    init(_ outcome: ChangeJoin.Outcome, of table: TableName) {
        self.outcome = outcome
        self.table = table
        var filter = DigestFilter(
            count: outcome.deleted.count + outcome.updated.count + outcome.inserted.count)
        for keys in [outcome.deleted, outcome.updated, outcome.inserted] { filter.formUnion(keys) }
        self.filter = filter
    }

    /// Whether the parent's row of this key is gone; to be asked for each of its rows.
    ///
    /// HOT PATH: every key of the parent passes here.
    ///
    /// - Throws: `BackupError.sourceChanged` for the key of a new row.
    @inline(__always)
    mutating func isGone(_ digest: KeyDigest) throws -> Bool {
        guard filter.mayContain(digest) else { return false }
        guard !outcome.inserted.contains(digest) else { throw ChangeJoin.twoRows(of: table) }
        if outcome.deleted.contains(digest) {
            gone += 1
            return true
        }
        if outcome.updated.contains(digest) { changed += 1 }
        return false
    }

    /// Says that every row of the parent has been asked for.
    ///
    /// - Throws: `ChangeJoin.KeyTwiceInParent`.
    func finish() throws {
        guard gone == outcome.deleted.count, changed == outcome.updated.count else {
            throw ChangeJoin.KeyTwiceInParent()
        }
    }
}
