/// A folder that has a backup's name, whether it holds one or not.
public struct PointFolder: Sendable {
    /// Where it is.
    public let location: StorageName
    /// The full: itself, or that it lies in.
    public let base: BackupID
    /// Date, time and hex digits, where it lies inside a full.
    let tail: String?

    /// For people: the backup's name as far as the folder tells it.
    public var name: String { tail.map { "\(base)/\(RepositoryLayout.layers)/\($0)" } ?? base.text }

    /// What a backup here may be called: inside a full its kind is not known.
    var possibleIDs: [String] {
        guard let tail else { return [base.text] }
        return [BackupKind.differential, .incremental].map {
            "\($0.rawValue)_\(base.encodedDatabase)_\(tail)"
        }
    }

    /// Date and time of its start, and hex digits.
    var startTail: String { tail ?? base.tail }

    /// Whether a backup rests on what lies here.
    func bears(_ child: Metadata) -> Bool {
        guard let tail else { return child.baseID?.isExactly(base.text) == true }
        let parent = child.parentID.flatMap { BackupID($0) }
        return parent?.tail == tail && child.baseID?.isExactly(base.text) == true
    }

    /// Whether a backup may lie here.
    func mayHold(_ id: BackupID, restingOn base: String?) -> Bool {
        guard let tail else { return id == self.base && base == nil }
        return id.kind != .full && id.tail == tail && base?.isExactly(self.base.text) == true
            && id.encodedDatabase == self.base.encodedDatabase
    }
}
