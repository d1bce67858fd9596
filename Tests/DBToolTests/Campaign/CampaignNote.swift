import BackupTesting
import Testing

/// What a repository notes about a backup besides what that is, and what it lists.
struct CampaignNote {
    /// Whether it is kept whatever `prune` is told.
    let isPinned: Bool
    /// What the last proof found; nil where there was none.
    let passed: Bool?
}

extension CampaignShop {
    /// What is noted of each backup that is listed as completed.
    func notes() async throws -> [String: CampaignNote] {
        let list = try await run(["list", "--json"], as: false)
        try list.requireCode(0)
        let listed = try JSON(parsing: list.output)["backups"].items
            .filter { $0["status"].string == "completed" }
        return Dictionary(
            listed.map { backup -> (String, CampaignNote) in
                let note = CampaignNote(
                    isPinned: backup["pinned"].boolean == true,
                    passed: backup["verified"]["passed"].boolean)
                return (backup["id"].string ?? "", note)
            }
        ) { one, _ in one }
    }

    /// What is wrong about what a prune, a pin or a proof of the newest backup has left: all that was asked for if it says so,
    /// and in no case a proof that has found damage.
    func faults(ofNoteAfter verb: CampaignVerb, isDone: Bool) async throws -> [String] {
        let notes = try await self.notes()
        guard let note = notes[newest] else { return ["\(newest) is not listed any more"] }
        var faults = note.passed == false ? ["\(newest) is noted as damaged"] : []
        guard isDone else { return faults }
        if verb == .prune, notes.count > 1 {
            faults.append("prune is done, and there is still \(notes.keys.sorted())")
        }
        if verb == .pin, !note.isPinned { faults.append("pin is done, and nothing is pinned") }
        if verb == .verify, note.passed == nil {
            faults.append("verify is done, and nothing is noted of it")
        }
        return faults
    }
}
