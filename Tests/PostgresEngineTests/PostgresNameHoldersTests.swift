import BackupCore
import Testing

@testable import PostgresEngine

/// Whose the names are that indexes, sequences and statistics of an archive need.
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

    @Test func `a sequence of another table is another one`() {
        let sequences = ["users_id_seq", "users_n_seq", "free"]
        let others = target { presence in
            for name in sequences {
                presence.add(Self.sequence(of: "users_old"), named: Self.name(name))
            }
        }
        // One that belongs to no table in the archive is the one that is there, whosever it is.
        #expect(others.archive.entries.filter(others.isOfAnother).map(\.id) == [8, 10])
        #expect(holder(8, others)?.words == "sequence public.users_id_seq of public.users_old")
        #expect(
            holder(8, others)?.renaming
                == "ALTER SEQUENCE \"public\".\"users_id_seq\" RENAME TO …;")
        #expect(holder(8, others)?.goes(with: [Self.name("users_old")]) == true)
        #expect(holder(8, others)?.goes(with: [Self.name("users_id_seq")]) == false)

        let own = target { presence in
            for name in sequences {
                presence.add(Self.sequence(of: "users"), named: Self.name(name))
            }
        }
        #expect(own.archive.entries.filter(own.isOfAnother).isEmpty)
    }

    @Test func `a sequence of no table can become a column's, but not an identity's`() {
        let holders = target { presence in
            for name in ["users_id_seq", "users_n_seq", "free"] {
                presence.add(Self.sequence(of: nil), named: Self.name(name))
            }
        }
        #expect(holders.archive.entries.filter(holders.isOfAnother).map(\.id) == [10])
        #expect(holder(10, holders)?.words == "sequence public.users_n_seq")
    }

    @Test func `what a view or a type is called may be something else's name`() {
        let holders = target { presence in
            presence.add(
                PostgresPresence.Relation(oid: "4", kind: "r", parent: nil),
                named: Self.name("shown"))
            presence.add(Self.sequence(of: "users"), named: Self.name("number"))
            presence.add(
                PostgresPresence.Relation(oid: "5", kind: "c", parent: nil),
                named: Self.name("pair"))
        }
        #expect(holder(12, holders)?.words == "table public.shown")
        #expect(holder(12, holders)?.goes(with: [Self.name("users")]) == false)
        // Domains share their names with no sequence; a type that is there is the one of the archive.
        for id in [1, 13, 14] { #expect(holder(id, holders) == nil) }
    }

    private static func name(_ name: String) -> TableName {
        TableName(schema: "public", name: name)
    }

    private static func index(of table: String) -> PostgresPresence.Relation {
        PostgresPresence.Relation(oid: "1", kind: "i", parent: name(table))
    }

    private static func sequence(of table: String?) -> PostgresPresence.Relation {
        PostgresPresence.Relation(oid: "3", kind: "S", parent: table.map(name))
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
                8; 1259 107 SEQUENCE public users_id_seq shop
                ;\tdepends on: 1
                9; 0 0 SEQUENCE OWNED BY public users_id_seq shop
                ;\tdepends on: 8
                10; 1259 108 SEQUENCE public users_n_seq shop
                ;\tdepends on: 1
                11; 1259 109 SEQUENCE public free shop
                12; 1259 110 VIEW public shown shop
                13; 1247 111 DOMAIN public number shop
                14; 1247 112 TYPE public pair shop
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
