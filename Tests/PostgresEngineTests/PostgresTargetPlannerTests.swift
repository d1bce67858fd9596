import BackupCore
import Testing

@testable import PostgresEngine

/// What of an interrupted restore is done again.
@Suite struct PostgresTargetPlannerTests {
    @Test func `parts that go through one whole are loaded again together`() throws {
        let plan = try plan(
            unlogged: ["part_1", "quick"],
            [
                "part_0": .loaded, "part_1": .loaded, "part_2": .waiting, "alone": .loaded,
                "quick": .loaded,
            ])
        #expect(plan.lost == ["part_0", "part_1", "part_2", "quick"].map(Self.name))
        for name in plan.lost {
            let table = try #require(plan.target.tables[name])
            #expect(table.treatment == .truncate && !table.isLoaded)
            #expect(table.load.place == Self.name(name.name == "quick" ? "quick" : "whole"))
        }
        #expect(plan.target.tables[Self.name("alone")]?.isLoaded == true)
    }

    @Test func `parts that go through a whole which they are all of are loaded again together`()
        throws
    {
        let plan = try plan(
            unlogged: ["part_1"], named: ["part_*"],
            ["part_0": .loaded, "part_1": .loaded, "part_2": .waiting])
        #expect(plan.lost == ["part_0", "part_1", "part_2"].map(Self.name))
        for name in plan.lost {
            #expect(plan.target.tables[name]?.load.loadsThrough == Self.name("whole"))
        }
        #expect(plan.strayAttachments.isEmpty)
    }

    @Test func `a part that is meant alone is loaded alone, and attached late`() throws {
        let plan = try plan(
            unlogged: [], named: ["part_1", "part_2"], chosen: [1, 3, 4, 8, 9], hasCrashed: false,
            ["part_1": .waiting, "part_2": .waiting])
        for name in ["part_1", "part_2"].map(Self.name) {
            #expect(plan.target.tables[name]?.load.place == name)
        }
        #expect(plan.strayAttachments == [8, 9] && plan.lateAttachments.isEmpty)
    }

    @Test func `rows of a logged part may have gone into an unlogged one that was not loaded`()
        throws
    {
        let plan = try plan(
            unlogged: ["part_1"],
            ["part_0": .loaded, "part_1": .waiting, "part_2": .waiting])
        #expect(plan.lost == ["part_0", "part_1", "part_2"].map(Self.name))
    }

    @Test(arguments: [
        ("r", "whole"), ("f", "whole"), ("r", "half"),
    ])
    func `rows may lie in a part that the backup does not hold, at any depth`(
        kind: String, whole: String
    ) {
        let error = #expect(throws: BackupError.self) {
            try plan(
                unlogged: ["part_1"], others: [("half", "p", "whole"), ("own", kind, whole)],
                ["part_0": .loaded, "part_1": .loaded, "part_2": .loaded])
        }
        #expect(error?.message.contains("may lie in partition public.own") == true)
    }

    @Test func `parts of another whole are in nobody's way`() throws {
        let plan = try plan(
            unlogged: ["part_1"], others: [("other", "p", nil), ("own", "r", "other")],
            ["part_0": .loaded, "part_1": .loaded, "part_2": .loaded])
        #expect(plan.lost == ["part_0", "part_1", "part_2"].map(Self.name))
    }

    /// No part was loaded, none is unlogged, the server has not crashed.
    private static let harmless: [([String], TableState, Bool)] = [
        (["part_1"], .waiting, true), ([], .loaded, true), (["part_1"], .loaded, false),
    ]

    @Test(arguments: harmless)
    func `what has lost nothing goes on as it was`(
        unlogged: [String], state: TableState, hasCrashed: Bool
    ) throws {
        let plan = try plan(
            unlogged: unlogged, hasCrashed: hasCrashed, ["part_0": state, "part_1": state])
        #expect(plan.lost.isEmpty)
        for table in plan.target.tables.values {
            #expect(table.treatment == .create && table.isLoaded == (state == .loaded))
        }
    }

    @Test func `parts that were lost still go through their whole when a restore goes on twice`()
        throws
    {
        let plan = try plan(
            unlogged: ["part_1"], hasCrashed: false, ["part_0": .lost, "part_1": .lost])
        for part in ["part_0", "part_1"] {
            let table = try #require(plan.target.tables[Self.name(part)])
            #expect(table.treatment == .truncate && !table.isLoaded)
            #expect(table.load.loadsThrough == Self.name("whole"))
        }
    }

    @Test func `rows that were there before the restore are not emptied with lost ones`() {
        let error = #expect(throws: BackupError.self) {
            try plan(
                unlogged: ["part_1"], existing: .append, chosen: [],
                ["part_0": .added, "part_1": .added])
        }
        #expect(error?.message.contains("table public.whole") == true)
    }

    @Test func `what was added to a table alone is added again`() throws {
        let plan = try plan(
            unlogged: ["quick"], existing: .append, chosen: [], ["quick": .added])
        #expect(plan.lost == [Self.name("quick")] && plan.refilled.isEmpty)
        let table = try #require(plan.target.tables[Self.name("quick")])
        #expect(table.treatment == .append && !table.isLoaded)
        let statements = PostgresRestoreMark.areLost(plan.lost, in: plan.target)
        #expect(statements.first?.contains("is_loaded = false, treatment = 'append'") == true)
    }

    @Test func `nothing may be left of what is added again, also when a restore goes on twice`()
        throws
    {
        for state in [TableState.added, .addedAndLost] {
            let plan = try plan(
                unlogged: ["quick"], existing: .append, chosen: [], hasCrashed: state == .added,
                ["quick": state])
            #expect(plan.addedAgain == [Self.name("quick")] && plan.transactions == ["7"])
        }
        let plan = try plan(
            unlogged: [], existing: .append, chosen: [], ["quick": .added, "alone": .waiting])
        #expect(plan.addedAgain.isEmpty)
    }

    /// A plain table of the backup may be partitioned here; PostgreSQL 14 to 17 take `UNLOGGED` for such a table and empty nothing
    /// then.
    @Test(arguments: [nil, .append, .truncate] as [ExistingTables?])
    func `what was added to partitions that no crash empties is not added again`(
        existing: ExistingTables?
    ) throws {
        let plan = try plan(
            unlogged: [], existing: existing, chosen: [],
            others: [("quick", "p", nil), ("own", "r", "quick")], unloggedOthers: ["quick"],
            ["quick": .added])
        #expect(plan.lost.isEmpty && plan.addedAgain.isEmpty)
        #expect(plan.target.tables[Self.name("quick")]?.isLoaded == true)
    }

    @Test(arguments: [nil, .append] as [ExistingTables?])
    func `rows of a plain table that lie in partitions are not loaded beside what a crash has left`(
        existing: ExistingTables?
    ) {
        let error = #expect(throws: BackupError.self) {
            try plan(
                unlogged: [], existing: existing, chosen: [],
                others: [("quick", "p", nil), ("own", "r", "quick"), ("half", "r", "quick")],
                unloggedOthers: ["half"],
                ["quick": .added])
        }
        #expect(error?.message.contains("unlogged partitions of table public.quick") == true)
    }

    /// What was made, and what was there before, each where it is emptied.
    private static let emptied: [(ExistingTables?, Set<Int>, TableState, Bool)] = [
        (nil, [6], .loaded, true), (.append, [6], .loaded, true), (.truncate, [6], .loaded, true),
        (.append, [6], .lost, true), (.truncate, [6], .lost, true),
        (.truncate, [], .replaced, false),
        (.truncate, [], .lost, false),
    ]

    @Test(arguments: emptied)
    func `only what was to be replaced may take rows of others along`(
        existing: ExistingTables?, chosen: Set<Int>, state: TableState, refills: Bool
    ) throws {
        let plan = try plan(
            unlogged: ["quick"], existing: existing, chosen: chosen, ["quick": state])
        let quick = Self.name("quick")
        #expect(plan.target.tables[quick]?.treatment == .truncate)
        #expect(plan.refilled == (refills ? [quick] : []))
    }

    /// How far a table of the interrupted restore is.
    enum TableState: Sendable {
        case waiting, loaded, lost, added, addedAndLost, replaced

        var inMark: PostgresRestoreMark.Contents.Table {
            let treatment: TargetPlan.Treatment =
                switch self {
                case .waiting, .loaded: .create
                case .lost, .replaced: .truncate
                case .added, .addedAndLost: .append
                }
            return PostgresRestoreMark.Contents.Table(
                treatment: treatment, isLoaded: ![.waiting, .lost, .addedAndLost].contains(self),
                isHalfLoaded: false, transaction: self == .waiting ? nil : "7")
        }
    }

    private static func name(_ name: String) -> TableName {
        TableName(schema: "public", name: name)
    }

    private static let archive = PostgresArchive(
        list: """
            1; 1259 100 TABLE public whole shop
            2; 1259 101 TABLE public part_0 shop
            3; 1259 102 TABLE public part_1 shop
            4; 1259 103 TABLE public part_2 shop
            5; 1259 104 TABLE public alone shop
            6; 1259 105 TABLE public quick shop
            7; 0 0 TABLE ATTACH public part_0 shop
            ;\tdepends on: 1 2
            8; 0 0 TABLE ATTACH public part_1 shop
            ;\tdepends on: 1 3
            9; 0 0 TABLE ATTACH public part_2 shop
            ;\tdepends on: 1 4
            """)

    /// The plan of a restore that goes on: tables that the mark does not know have no rows in the backup.
    ///
    /// `others`: What the target holds besides or instead, its kind, and what it is a part of.
    private func plan(
        unlogged: [String], existing: ExistingTables? = nil, named patterns: [String] = [],
        chosen: Set<Int> = Set(1...9), hasCrashed: Bool = true,
        others: [(name: String, kind: String, whole: String?)] = [],
        unloggedOthers: [String] = [], _ tables: [String: TableState]
    ) throws -> PostgresPlan {
        var request = TargetRequest(
            database: "x", definition: SchemaDefinition(sql: [], dump: nil, owners: ["shop"]),
            sourceVersion: "18", encoding: "UTF8", databaseProperties: [:])
        request.defaultSchema = "public"
        request.existing = existing
        request.patterns = try patterns.map(TablePattern.init)
        var presence = PostgresPresence()
        presence.add(
            PostgresPresence.Relation(oid: "1", kind: "p", parent: nil), named: Self.name("whole"))
        let names = ["part_0", "part_1", "part_2", "alone", "quick"]
        for (index, name) in names.enumerated() {
            let whole = name.hasPrefix("part_") ? Self.name("whole") : nil
            presence.add(
                PostgresPresence.Relation(
                    oid: "\(index + 2)", kind: "r", parent: whole,
                    isUnlogged: unlogged.contains(name)),
                named: Self.name(name))
            guard tables[name] != nil else { continue }
            request.storedTables.append(
                StoredTable(
                    object: "\(101 + index)",
                    load: TableLoad(
                        table: Self.name(name), loadsThrough: whole, columns: ["id"])))
        }
        for (index, other) in others.enumerated() {
            presence.add(
                PostgresPresence.Relation(
                    oid: "\(index + 100)", kind: other.kind, parent: other.whole.map(Self.name),
                    isUnlogged: unloggedOthers.contains(other.name)),
                named: Self.name(other.name))
        }
        let mark = PostgresRestoreMark.Contents(
            backup: "", request: "", chosen: chosen, hasStructure: true, hasIndexes: false,
            tables: Dictionary(
                uniqueKeysWithValues: tables.map { (Self.name($0.key), $0.value.inMark) }),
            hasLostUnlogged: hasCrashed)
        return try PostgresTargetPlanner(request, archive: Self.archive, presence: presence)
            .plan(continuing: mark)
    }
}
