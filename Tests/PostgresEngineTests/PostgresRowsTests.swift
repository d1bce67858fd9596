import BackupCore
import Testing

@testable import PostgresEngine

/// How rows are selected.
@Suite struct PostgresRowsTests {
    @Test(arguments: [nil, "", " \n"] as [String?])
    func `a table without a filter is copied as it is`(filter: String?) {
        let statement = #"COPY "public"."t" ("id", "own") TO STDOUT (FORMAT csv)"#
        #expect(rows(filter, pages: 10).statements == [statement])
    }

    @Test(arguments: [
        "WHERE own", "where(id > 10)", "WHERE id > 1 OR own", "WHERE own ORDER BY id",
        "WHERE own -- ours",
    ])
    func `a filter stands behind its table as it is, and ranges are of what it selects`(
        filter: String
    ) {
        let selected = "FROM ONLY \"public\".\"t\" \(filter)\n)"
        #expect(
            rows(filter, pages: 10).statements == [
                "COPY (SELECT \"id\", \"own\" \(selected) TO STDOUT (FORMAT csv)"
            ])
        let list = "\"id\", \"own\""
        let start = "COPY (SELECT \(list) FROM (SELECT ctid, \(list) \(selected) selected"
        #expect(
            rows(filter, pages: 10).statements(split: "4") == [
                "\(start) WHERE ctid < '(4,0)'::tid) TO STDOUT (FORMAT csv)",
                "\(start) WHERE ctid >= '(4,0)'::tid AND ctid < '(8,0)'::tid) TO STDOUT (FORMAT csv)",
                "\(start) WHERE ctid >= '(8,0)'::tid) TO STDOUT (FORMAT csv)",
            ])
    }

    @Test func `what a filter selects is deleted without its words behind DELETE`() {
        #expect(
            PostgresEmptying.deletion(from: "t", filter: "WHERE own ORDER BY id -- ours")
                == """
                DELETE FROM ONLY t WHERE ctid IN (SELECT ctid FROM ONLY t WHERE own ORDER BY id -- ours
                )
                """)
    }

    private func rows(_ filter: String?, pages: Int) -> PostgresRows {
        PostgresRows(
            TableName(schema: "public", name: "t"), columns: ["id", "own"], filter: filter,
            splits: true, sizes: (heap: pages * 8192, total: pages * 8192), blockBytes: 8192)
    }
}
