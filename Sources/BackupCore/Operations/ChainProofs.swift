/// What the proofs of points say of others that rest on the same full.
///
/// A proof that fails tells that something in a chain is damaged, and not where: nothing of the chain counts until a
/// later proof has passed.
struct ChainProofs {
    /// The last proof that failed, by the full of the chain.
    private var failures: [ExactText: (id: BackupID, at: Timestamp)] = [:]

    init(of points: [Point], _ states: [BackupID: BackupState]) {
        for point in points {
            // A drill may fail for reasons of its server; what is damaged is found by the check of the files.
            guard let proof = states[point.id]?.verified, !proof.passed else { continue }
            let base = Self.base(of: point)
            if let known = failures[base], known.at >= proof.at { continue }
            failures[base] = (point.id, proof.at)
        }
    }

    /// Why a point does not count as one that could be restored; nil when nothing speaks against it.
    func flaw(of point: Point, _ state: BackupState) -> String? {
        guard state.proofs.allSatisfy(\.passed) else { return "its last proof failed" }
        return failure(against: point, state).map {
            "the last proof of \($0) failed, which is of the same chain: verify this one"
        }
    }

    /// The point of a chain whose check found damage, there or in what it rests on, where another point of it was not
    /// proven since; nil where none did.
    func failure(against point: Point, _ state: BackupState) -> BackupID? {
        guard let failure = failures[Self.base(of: point)],
            !state.proofs.contains(where: { $0.passed && $0.at > failure.at })
        else { return nil }
        return failure.id
    }

    private static func base(of point: Point) -> ExactText {
        ExactText(point.metadata.baseID ?? point.id.text)
    }
}

extension RepositoryContents {
    /// The points that nobody may count on although their own last check found nothing: each with the point of its
    /// chain whose check has found damage since.
    ///
    /// `states`: What is known of each.
    public func doubts(_ states: [BackupID: BackupState]) -> [BackupID: BackupID] {
        let proofs = ChainProofs(of: points, states)
        var doubts: [BackupID: BackupID] = [:]
        for point in points {
            let state = states[point.id] ?? BackupState()
            // Of its own it is known already.
            guard state.verified?.passed != false else { continue }
            doubts[point.id] = proofs.failure(against: point, state)
        }
        return doubts
    }
}

extension BackupState {
    /// The last proof of each kind.
    fileprivate var proofs: [Proof] { [verified, drilled].compactMap(\.self) }
}
