/// Privileges that would be in the way of what is made and loaded.
extension PostgresArchiveRestore {
    /// Privileges on tables that are given when the rows are there, and such as owners have taken from themselves.
    var privileges: Set<Int> {
        archive.entries(of: "ACL", among: plan.chosen).filter { id in
            let things = archive[id]?.dependencies.compactMap { archive[$0] } ?? []
            let takes = withdrawals.contains(id)
            // Whoever makes an index, the functions in it run as the table's owner.
            return takes && things.contains(where: \.isRoutine)
                || givesPrivilegesLate && (takes || things.contains(where: \.holdsValues))
        }
    }

    /// What closes schemas to their owners: nothing can be made in these afterwards, nor found by its name.
    ///
    /// It comes with the end: an interrupted restore could not go on in these.
    var closing: Set<Int> { givesPrivilegesLate ? closures.intersection(plan.chosen) : [] }
}
