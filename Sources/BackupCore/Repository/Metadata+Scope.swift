extension Metadata {
    /// What was to be in the backup, for comparing with that of others.
    ///
    /// Backups of one scope can stand in for each other, others cannot.
    var scopeWords: String {
        let patterns =
            scopePatterns ?? (scope == Scope.database.word ? [] : tables.map { "\($0.tableName)" })
        let excluded = excludedPatterns ?? excludedTables.map { "\($0)" }
        return ([scope] + patterns.sorted() + ["without"] + excluded.sorted()).joined(
            separator: "\n")
    }

    /// Whether a table of which there is nothing here may have been in the database: nobody asked for it, it was
    /// left out, or could not be read.
    func mayLack(_ table: TableName) -> Bool {
        if excludedTables.contains(table) || unreadableTables.contains(table) { return true }
        guard scope != Scope.database.word else { return false }
        let asked = (scopePatterns ?? []).compactMap { try? TablePattern($0) }
        return !asked.contains { $0.matches(table, defaultSchema: defaultSchema) }
    }
}
