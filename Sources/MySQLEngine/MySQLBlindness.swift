import BackupCore

/// Kinds of things that an account does not see, whether they are there or not.
struct MySQLBlindness: Sendable {
    let kinds: Set<MySQLObject.Kind>
    /// The statement that ends it.
    let remedy: String

    /// Those of an earlier definition that may be there still: a trigger goes with its table, and some things are seen all
    /// the same, by who made them or may call them.
    func unseen(of earlier: [MySQLObject], having own: [MySQLObject]) -> [MySQLObject] {
        let tables = Set(own.filter { $0.kind == .table }.map { ExactText($0.name) })
        let seen = Set(own.map(MySQLRestoreMark.label(of:)))
        return earlier.filter { object in
            guard kinds.contains(object.kind), !seen.contains(MySQLRestoreMark.label(of: object))
            else { return false }
            guard object.kind == .trigger else { return true }
            let table = MySQLStatementHead(object.statement)?.table
            return table.map { tables.contains(ExactText($0)) } ?? false
        }
    }

    /// Nil for nothing.
    func words(of objects: [MySQLObject]) -> String? {
        guard !objects.isEmpty else { return nil }
        let names = objects.map { "\($0.kind.rawValue.lowercased()) \($0.name)" }
        return "\(MySQLTargetPlanner.list(names)); \(remedy)"
    }
}
