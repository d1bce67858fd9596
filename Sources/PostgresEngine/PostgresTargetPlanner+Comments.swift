import BackupCore

/// Comments on constraints that tables have from other tables alone.
extension PostgresTargetPlanner {
    /// Those of tables that nothing gives these constraints: a copy under another name, and what inherits from tables that are
    /// not there, or come with their columns alone.
    func commentsWithoutConstraints(_ selected: [Candidate], _ plan: PostgresPlan) -> Set<Int> {
        let comments = plan.chosen.intersection(archive.commentsOnInherited)
        guard plan.renamed == nil else { return comments }
        guard !request.isWhole else { return [] }
        let own = Set(selected.compactMap(\.entry))
        func isGivenConstraints(_ table: Int) -> Bool {
            tables(above: table).allSatisfy { other in
                let isKept = present.contains(other) && !plan.chosen.contains(other)
                return isKept || own.contains(other) && isGivenConstraints(other)
            }
        }
        return comments.filter { id in
            archive[id].flatMap(archive.table).map { !isGivenConstraints($0) } ?? true
        }
    }

    /// The tables that one inherits from, or is attached to.
    private func tables(above table: Int) -> Set<Int> {
        let parents = (archive[table]?.dependencies ?? []).filter { archive[$0]?.isTable ?? false }
        return (archive.wholesOfParts[table] ?? []).union(parents)
    }
}
