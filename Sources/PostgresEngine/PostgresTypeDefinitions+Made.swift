import BackupCore

/// What becomes of tables that inherit columns or are of a type.
extension PostgresTypeDefinitions {
    /// What is `there`, and what such tables are that are made beside it.
    ///
    /// The server puts the columns first that a table inherits, each once, and gives them the types that they have there.
    func made(
        beside there: [TableName: PostgresTypeShape]
    ) -> [TableName: PostgresTypeShape] {
        var made = there
        for row in rows where made[row.name] == nil && !row.parents.isEmpty {
            guard let columns = columns(row, among: made) else { continue }
            made[row.name] = .composite(columns)
        }
        return made
    }

    /// Nil where nobody knows those of a table that it inherits from.
    private func columns(
        _ row: Row, among made: [TableName: PostgresTypeShape]
    ) -> [PostgresTypeShape.Attribute]? {
        var columns: [PostgresTypeShape.Attribute] = []
        for parent in row.parents {
            guard case .composite(let inherited)? = made[parent] ?? shapes[parent] else {
                return nil
            }
            columns = Self.united(columns, inherited)
        }
        return Self.united(columns, ownColumns(row))
    }

    /// As the source had them, in the order of the statement.
    private func ownColumns(_ row: Row) -> [PostgresTypeShape.Attribute] {
        guard case .composite(let were)? = shapes[row.name] else { return row.own }
        return row.own.map { own in were.first { $0.name.isExactly(own.name) } ?? own }
    }

    /// One that both have stays at its place.
    private static func united(
        _ columns: [PostgresTypeShape.Attribute], _ others: [PostgresTypeShape.Attribute]
    ) -> [PostgresTypeShape.Attribute] {
        columns
            + others.filter { other in
                !columns.contains { $0.name.isExactly(other.name) }
            }
    }
}
