import BackupCore
import Testing

@testable import PostgresEngine

/// Whose the names are that indexes and statistics of an archive need.
@Suite struct PostgresNameHoldersTests {
    @Test func `an index of the same table is the one that the archive makes`() {
        let holders = target { presence in
            presence.add(Self.index(of: "users"), named: Self.name("by name"))
            presence.add(statistics: Self.name("both"), of: Self.name("users"))
        }
        for entry in holders.archive.entries { #expect(!holders.isOfAnother(entry)) }
        #expect(holder(3, holders)?.words == "index public.\"by name\" of public.users")
        #expect(holder(5, holders)?.words == "statistics public.both of public.users")
        #expect(holder(4, holders) == nil)
    }

    @Test func `an index of another table is another one`() {
        let holders = target { presence in
            presence.add(Self.index(of: "users_old"), named: Self.name("by name"))
            presence.add(Self.index(of: "users_old"), named: Self.name("users_pkey"))
            presence.add(statistics: Self.name("both"), of: Self.name("users_old"))
            presence.add(Self.index(of: "whole"), named: Self.name("of part"))
        }
        let others = holders.archive.entries.filter(holders.isOfAnother).map(\.id)
        // The archive lists constraints with their tables.
        #expect(others == [3, 5, 7])
        #expect(holder(4, holders)?.name == Self.name("users_pkey"))
        #expect(
            holder(4, holders)?.renaming
                == "ALTER INDEX \"public\".\"users_pkey\" RENAME TO …;")
        #expect(
            holder(5, holders)?.renaming == "ALTER STATISTICS \"public\".\"both\" RENAME TO …;")
    }

    @Test func `what is dropped takes its indexes along, and others stay`() {
        let holders = target { presence in
            presence.add(Self.index(of: "users_old"), named: Self.name("by name"))
            presence.add(
                PostgresPresence.Relation(oid: "2", kind: "v", parent: nil),
                named: Self.name("users_pkey"))
            presence.add(statistics: Self.name("both"), of: Self.name("users_old"))
        }
        for id in [3, 5] {
            #expect(holder(id, holders)?.goes(with: [Self.name("users_old")]) == true)
            #expect(
                holder(id, holders)?.goes(with: [Self.name("users"), Self.name("both")]) == false)
        }
        #expect(holder(4, holders)?.words == "view public.users_pkey")
        #expect(holder(4, holders)?.goes(with: [Self.name("users_pkey")]) == true)
        #expect(holder(4, holders)?.goes(with: [Self.name("users")]) == false)
    }

    private static func name(_ name: String) -> TableName {
        TableName(schema: "public", name: name)
    }

    private static func index(of table: String) -> PostgresPresence.Relation {
        PostgresPresence.Relation(oid: "1", kind: "i", parent: name(table))
    }

    private func holder(
        _ id: Int, _ holders: PostgresNameHolders
    ) -> PostgresNameHolders.Holder? {
        holders.archive[id].flatMap(holders.holder)
    }

    private func target(_ fill: (inout PostgresPresence) -> Void) -> PostgresNameHolders {
        let archive = PostgresArchive(
            list: """
                1; 1259 100 TABLE public users shop
                2; 1259 101 TABLE public part shop
                3; 1259 102 INDEX public by name shop
                ;\tdepends on: 1
                4; 2606 103 CONSTRAINT public users users_pkey shop
                ;\tdepends on: 1
                5; 3381 104 STATISTICS public both shop
                ;\tdepends on: 1
                6; 2606 105 CHECK CONSTRAINT public users both shop
                ;\tdepends on: 1
                7; 1259 106 INDEX public of part shop
                ;\tdepends on: 2 3
                """)
        var request = TargetRequest(
            database: "x", definition: SchemaDefinition(sql: [], dump: nil, owners: ["shop"]),
            sourceVersion: "18", encoding: "UTF8", databaseProperties: [:])
        request.defaultSchema = "public"
        var presence = PostgresPresence()
        fill(&presence)
        return PostgresNameHolders(
            archive: archive, names: PostgresArchiveNames(archive, request), presence: presence)
    }
}
