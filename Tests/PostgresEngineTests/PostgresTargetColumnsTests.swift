import BackupCore
import Testing

@testable import PostgresEngine

/// Which rows go into a table of the target as they are.
@Suite struct PostgresTargetColumnsTests {
    private static let table = TableName(schema: "public", name: "t")

    /// What is said of rows with the stored column `n` and the computed column `twice`.
    private static func problems(
        _ there: [String: PostgresTargetColumns.Kind], types: [String] = ["integer"]
    ) -> [String] {
        var load = TableLoad(table: table, loadsThrough: nil, columns: ["n"])
        load.types = types
        load.computed = ["twice"]
        let columns = Dictionary(there.map { (ExactText($0), $1) }) { one, _ in one }
        return PostgresTargetColumns([table: columns]).problems(of: load)
    }

    @Test func `a column that was computed is computed there, or missing`() {
        let number = PostgresTargetColumns.Kind(type: "integer")
        let computed = PostgresTargetColumns.Kind(type: "text", isComputed: true)
        #expect(Self.problems(["n": number]).isEmpty)
        #expect(Self.problems(["n": number, "twice": computed]).isEmpty)
        #expect(
            Self.problems(["n": number, "twice": number])
                == ["column twice of public.t is not computed, and was"])
        // A name in capitals is another one.
        #expect(Self.problems(["n": number, "TWICE": number]).isEmpty)
    }

    @Test func `a column of the file is there, is not computed, and takes its values`() {
        let small = PostgresTargetColumns.Kind(type: "smallint")
        #expect(Self.problems([:]) == ["public.t has no column n"])
        #expect(
            Self.problems(["n": .init(type: "integer", isComputed: true)])
                == ["column n of public.t is computed"])
        #expect(
            Self.problems(["n": small]) == ["column n of public.t is smallint, and was integer"])
        // Where nobody knows what it was, the server decides.
        #expect(Self.problems(["n": small], types: []).isEmpty)
    }
}
