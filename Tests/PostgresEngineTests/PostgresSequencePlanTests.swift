import BackupCore
import Testing

@testable import PostgresEngine

/// Which sequences go back to where they stood with the rows that are replaced.
@Suite struct PostgresSequencePlanTests {
    @Test(arguments: ["whole", "half"])
    func `one of a whole goes back where the rows of all its parts go`(owner: String) throws {
        let plan = try plan(owner: owner, replacing: ["part_0", "part_1"])
        #expect(plan.sequences[Self.numbers] == .withRows)
        let wholes = owner == "whole" ? ["whole", "half"] : ["half"]
        #expect(plan.numberedWholes[Self.numbers] == Set(wholes.map(Self.name)))
    }

    @Test func `one of a table goes back where its rows go, whatever that is a part of`() throws {
        let plan = try plan(owner: "part_0", replacing: ["part_0"])
        #expect(plan.sequences[Self.numbers] == .withRows)
        #expect(plan.numberedWholes[Self.numbers]?.isEmpty == true)
    }

    @Test(arguments: [["part_0"], ["part_1"], []] as [[String]])
    func `one of a whole only goes forward where rows of a part stay`(
        replaced: [String]
    ) throws {
        let plan = try plan(owner: "whole", replacing: replaced)
        #expect(plan.sequences[Self.numbers] == .forward)
        #expect(plan.numberedWholes.isEmpty)
    }

    @Test(arguments: ["whole", "half"])
    func `one of a whole only goes forward where a part lies on another server`(
        whole: String
    ) throws {
        let plan = try plan(
            owner: "whole", replacing: ["part_0", "part_1"], foreignPartOf: whole)
        #expect(plan.sequences[Self.numbers] == .forward)
        #expect(plan.numberedWholes.isEmpty)
    }

    private static let numbers = TableName(schema: "public", name: "numbers")

    private static func name(_ name: String) -> TableName {
        TableName(schema: "public", name: name)
    }

    private static let archive = PostgresArchive(
        list: """
            1; 1259 100 TABLE public whole shop
            2; 1259 101 TABLE public part_0 shop
            3; 1259 102 TABLE public half shop
            4; 1259 103 TABLE public part_1 shop
            5; 1259 104 SEQUENCE public numbers shop
            """)

    /// The target's relations: their kind, and what they are a part of.
    private static let relations: [(name: String, kind: String, whole: String?)] = [
        ("whole", "p", nil), ("part_0", "r", "whole"), ("half", "p", "whole"),
        ("part_1", "r", "half"),
    ]

    /// The plan of a restore that replaces rows: `replaced` is what the backup has rows of.
    private func plan(
        owner: String, replacing replaced: [String], foreignPartOf foreign: String? = nil
    ) throws -> PostgresPlan {
        var request = TargetRequest(
            database: "x", definition: SchemaDefinition(sql: [], dump: nil, owners: ["shop"]),
            sourceVersion: "18", encoding: "UTF8", databaseProperties: [:])
        request.defaultSchema = "public"
        request.existing = .truncate
        request.content = .rows
        var presence = PostgresPresence()
        var relations = Self.relations
        relations.append((name: "numbers", kind: "S", whole: owner))
        if let foreign { relations.append((name: "elsewhere", kind: "f", whole: foreign)) }
        for (index, relation) in relations.enumerated() {
            presence.add(
                PostgresPresence.Relation(
                    oid: "\(index)", kind: relation.kind, parent: relation.whole.map(Self.name)),
                named: Self.name(relation.name))
            guard replaced.contains(relation.name) else { continue }
            request.storedTables.append(
                StoredTable(
                    object: "\(100 + index)",
                    load: TableLoad(
                        table: Self.name(relation.name), loadsThrough: nil, columns: ["id"])))
        }
        return try PostgresTargetPlanner(request, archive: Self.archive, presence: presence)
            .plan(continuing: nil)
    }
}
