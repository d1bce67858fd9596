import BackupCore

/// The order in which tables are locked that foreign keys and partitions tie to each other.
///
/// It is that of ordinary statements. `INSERT` and `UPDATE` lock the table that has the key, and what it refers to when the key
/// is checked; whatever goes through a whole locks it before its parts. So those that refer come before those that are
/// referred to, and wholes before parts.
///
/// `DELETE` goes the other way, from what is referred to. No order suits both: `PostgresTableLocks` lives with that.
enum PostgresLockOrder {
    /// Two tables, of which one is locked before the other.
    struct Tie: Hashable, Sendable {
        let first: TableName
        let then: TableName
    }

    /// Each table once, as the ties want it and else by name; a circle begins with the first of its names.
    static func of(_ tables: Set<TableName>, _ ties: [Tie]) -> [TableName] {
        var before: [TableName: Int] = [:]
        var behind: [TableName: [TableName]] = [:]
        for tie in Set(ties) where tie.first != tie.then {
            guard tables.contains(tie.first), tables.contains(tie.then) else { continue }
            before[tie.then, default: 0] += 1
            behind[tie.first, default: []].append(tie.then)
        }
        var rest = tables.sorted()[...]
        var ready = rest.filter { before[$0] == nil }
        var (order, placed): ([TableName], Set<TableName>) = ([], [])
        while order.count < tables.count {
            if ready.isEmpty {
                rest = rest.drop(while: placed.contains)
                ready = Array(rest.prefix(1))
            }
            var next: [TableName] = []
            for table in ready where placed.insert(table).inserted {
                order.append(table)
                for later in behind[table] ?? [] {
                    before[later, default: 0] -= 1
                    if before[later] == 0 { next.append(later) }
                }
            }
            ready = next.sorted()
        }
        return order
    }
}
