import BackupCore
import Testing

@testable import MySQLEngine

/// What becomes of a table when an interrupted restore is gone on with.
@Suite struct MySQLRemainsTests {
    /// A table as it is found, and what becomes of it.
    struct Case: Sendable {
        let sight: MySQLRemains.Sight
        var isLoaded = false
        var isBegun = false
        var hasRows = true
        var isMade = true
        var isAppendOnly = false
        let step: MySQLRemains.Step
    }

    static let cases = [
        Case(sight: .absent, step: .load),
        Case(sight: .absent, isBegun: true, step: .load),
        Case(sight: .absent, isLoaded: true, isBegun: true, hasRows: false, step: .load),
        Case(sight: .empty, step: .load),
        Case(sight: .empty, isBegun: true, step: .empty),
        Case(sight: .empty, isLoaded: true, step: .load),
        Case(sight: .empty, isLoaded: true, isBegun: true, step: .load),
        Case(sight: .empty, isLoaded: true, hasRows: false, step: .keep),
        Case(sight: .filled, step: .refuse),
        Case(sight: .filled, isBegun: true, step: .empty),
        Case(sight: .filled, isLoaded: true, step: .keep),
        Case(sight: .filled, isLoaded: true, isBegun: true, step: .keep),
        // ARCHIVE takes no TRUNCATE, and counts rows in a part of its file that a crash may leave behind the others.
        Case(sight: .empty, isBegun: true, isAppendOnly: true, step: .remake),
        Case(sight: .empty, isLoaded: true, isAppendOnly: true, step: .remake),
        Case(sight: .empty, isLoaded: true, hasRows: false, isAppendOnly: true, step: .keep),
        Case(sight: .empty, isBegun: true, isMade: false, isAppendOnly: true, step: .refuseTable),
        Case(sight: .empty, isAppendOnly: true, step: .load),
        Case(sight: .filled, isBegun: true, isAppendOnly: true, step: .remake),
        Case(sight: .filled, isBegun: true, isMade: false, isAppendOnly: true, step: .refuseTable),
        Case(sight: .filled, isAppendOnly: true, step: .refuseTable),
        Case(sight: .filled, isLoaded: true, isBegun: true, isAppendOnly: true, step: .keep),
        Case(sight: .unreadable, isBegun: true, step: .remake),
        Case(sight: .unreadable, isLoaded: true, isBegun: true, step: .remake),
        Case(sight: .unreadable, isBegun: true, isMade: false, step: .refuseTable),
        Case(sight: .unreadable, step: .refuseTable),
    ]

    @Test(arguments: cases)
    func `what becomes of a table is what can be known of its rows`(found: Case) {
        let remains = MySQLRemains(
            sight: found.sight, isLoaded: found.isLoaded, isBegun: found.isBegun,
            hasRows: found.hasRows, isMade: found.isMade, isAppendOnly: found.isAppendOnly)
        #expect(remains.step == found.step, "\(found)")
    }

    /// What is loaded for the first time is not in the mark, and needs no privilege to be deleted there.
    @Test func `a table of which nothing is left is one that the mark must forget`() {
        func name(_ table: String) -> TableName { TableName(schema: "shop", name: table) }
        var plan = MySQLPlan()
        for table in ["lost", "begun", "new"] {
            var planned = TargetPlan.TablePlan(
                .create, TableLoad(table: name(table), loadsThrough: nil, columns: ["id"]))
            planned.isLoaded = table == "lost"
            plan.target.tables[name(table)] = planned
            if table == "begun" { plan.begun.insert(ExactText(table)) }
            plan.loadAnew(name(table))
        }
        #expect(plan.lost == ["lost", "begun"])
        #expect(plan.begun.isEmpty)
        #expect(plan.target.tables.values.allSatisfy { !$0.isLoaded })
    }

    /// It is no drop that anybody is asked about, as `--clean` asks.
    @Test func `a table that is made anew is dropped first, under its name in the target`() {
        let name = TableName(schema: "shop", name: "old")
        var plan = MySQLPlan()
        plan.renamed = ("old", "copy")
        plan.begun = [ExactText("old")]
        plan.target.tables[name] = .init(
            .create, TableLoad(table: name, loadsThrough: nil, columns: ["id"]))
        plan.makeAnew(name)
        #expect(plan.drops.map(\.name) == ["copy"])
        #expect(plan.target.drops.isEmpty)
        #expect(plan.lost == ["old"] && plan.begun.isEmpty)
    }
}
