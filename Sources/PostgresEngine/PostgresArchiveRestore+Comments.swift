/// Comments on constraints that tables have from other tables alone.
extension PostgresArchiveRestore {
    /// Archives list them wherever their names put them, also in front of what makes the constraints.
    var lateComments: Set<Int> { plan.chosen.intersection(archive.commentsOnInherited) }

    /// When all constraints are there, and what is attached.
    func commentOnInheritedConstraints() async throws -> [String] {
        try await make(
            "comment on constraints", nil, lateComments, failuresAreExpected: true)
    }
}
