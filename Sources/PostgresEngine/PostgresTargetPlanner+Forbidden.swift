import BackupCore

/// What the restoring role may not make: everything else can be restored without it.
extension PostgresTargetPlanner {
    /// Those of some entries that stay out of a plan: what is there already needs not be made, unless it would be dropped.
    func unmade(of entries: Set<Int>) -> Set<Int> {
        entries.intersection(forbidden).subtracting(request.drops ? [] : present)
    }

    /// With their comments, and whatever else rests on them.
    func withDecorations(_ entries: Set<Int>) -> Set<Int> {
        archive.dependents(of: entries, among: archive.all)
    }

    /// Names those of some entries that stay out of a plan.
    func forSuperusers(among entries: Set<Int>) -> [String] {
        describe(unmade(of: entries)).map {
            "\($0.kind.lowercased()) \($0.name): only a superuser may make it"
        }
    }
}
