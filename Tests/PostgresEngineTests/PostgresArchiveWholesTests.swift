import Testing

@testable import PostgresEngine

/// Which index is attached to which.
@Suite struct PostgresArchiveWholesTests {
    private static let archive = PostgresArchive(
        list: """
            1; 1259 1 TABLE public pt postgres
            2; 1259 2 TABLE public p1 postgres
            ;\tdepends on: 1
            3; 1259 3 TABLE public p11 postgres
            ;\tdepends on: 2
            4; 0 0 TABLE ATTACH public p1 postgres
            ;\tdepends on: 2 1
            5; 0 0 TABLE ATTACH public p11 postgres
            ;\tdepends on: 3 2
            6; 2606 6 CONSTRAINT public pt pt_k postgres
            ;\tdepends on: 1
            7; 2606 7 CONSTRAINT public p1 p1_pkey postgres
            ;\tdepends on: 2 6 2
            8; 2606 8 CONSTRAINT public p11 p11_pkey postgres
            ;\tdepends on: 3 3 7
            9; 1259 9 INDEX public pu postgres
            ;\tdepends on: 1
            10; 2606 10 CONSTRAINT public p1 p1_u postgres
            ;\tdepends on: 2
            11; 0 0 INDEX ATTACH public p11_pkey postgres
            ;\tdepends on: 7 2 6 8 3 7 2 6 3 2
            12; 0 0 INDEX ATTACH public p1_pkey postgres
            ;\tdepends on: 7 2 6 6 2 1
            13; 0 0 INDEX ATTACH public p1_u postgres
            ;\tdepends on: 9 10 2 9 2 1
            """)

    @Test(arguments: [(11, 8, 7), (12, 7, 6), (13, 10, 9)])
    func `the key of a part is attached to that of the whole next above`(
        attachment: Int, part: Int, whole: Int
    ) throws {
        let entry = try #require(Self.archive[attachment])
        #expect(Self.archive.owner(of: entry) == part)
        #expect(Self.archive.indexOfWhole(entry) == whole)
    }

    @Test func `a part alone brings its wholes, and what ties them`() {
        #expect(
            Self.archive.entries(making: ["3"]) == [1, 2, 3, 4, 5, 6, 7, 8, 11, 12])
    }

    @Test func `a part that is detached brings nothing else`() {
        let made = Self.archive.detaching(3).entries(
            making: ["3"], omitting: ["TABLE ATTACH", "INDEX ATTACH"])
        #expect(made == [3, 8])
    }
}
