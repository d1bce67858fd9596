import BackupCore

/// What the types of a backup become in a target, and whether their values stay what they were.
struct PostgresTypeFitting {
    let definitions: PostgresTypeDefinitions
    /// Types that are used as they are.
    private let there: [TableName: PostgresTypeShape]
    /// These, and tables that are made beside them.
    private let here: [TableName: PostgresTypeShape]
    /// The same tables where nothing was there before.
    private let alone: [TableName: PostgresTypeShape]

    init(_ definitions: PostgresTypeDefinitions, there: [TableName: PostgresTypeShape]) {
        self.definitions = definitions
        self.there = there
        here = definitions.made(beside: there)
        alone = definitions.made(beside: [:])
    }

    /// Whether a type is what it is because of what was there before.
    private func isBound(_ name: TableName) -> Bool {
        there[name] != nil || here[name] != alone[name]
    }

    /// Why values of a type would not stay what they are.
    func problems(of name: TableName) -> [String] {
        guard isBound(name), let was = definitions.shapes[name], let shape = here[name] else {
            return []
        }
        return was.problems(in: shape, named: name)
    }

    /// Why rows do not go as they are into a table that is made: what it inherits has the types of what is there.
    func problems(of load: TableLoad, named name: TableName) -> [String] {
        guard there[name] == nil, isBound(name), case .composite(let columns)? = here[name] else {
            return []
        }
        let computed = Set(load.computed.map(ExactText.init))
        let kinds = columns.map { column -> (ExactText, PostgresTargetColumns.Kind) in
            let name = ExactText(column.name)
            return (
                name,
                PostgresTargetColumns.Kind(type: column.type, isComputed: computed.contains(name))
            )
        }
        let own = Dictionary(kinds) { first, _ in first }
        return PostgresTargetColumns([load.table: own]).problems(of: load)
    }

    /// In which order the columns of a table were, and are where the server makes it, if that is another one.
    ///
    /// The text of a row has no names, so that values would be exchanged without a word.
    func turned(_ name: TableName) -> (were: [String], are: [String])? {
        guard !isBound(name), case .composite(let source)? = definitions.shapes[name],
            case .composite(let columns)? = here[name]
        else { return nil }
        let (were, are) = (source.map(\.name), columns.map(\.name))
        let (old, new) = (were.map(ExactText.init), are.map(ExactText.init))
        guard old != new, Set(old) == Set(new) else { return nil }
        return (were: were, are: are)
    }

    /// Whether columns are in the order of the source.
    func isAsItWas(_ name: TableName, in found: [TableName: PostgresTypeShape]) -> Bool {
        guard case .composite(let were)? = definitions.shapes[name],
            case .composite(let are)? = found[name]
        else { return false }
        return were.map { ExactText($0.name) } == are.map { ExactText($0.name) }
    }
}
