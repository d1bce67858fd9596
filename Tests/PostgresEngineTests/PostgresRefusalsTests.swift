import BackupCore
import Testing

@testable import PostgresEngine

/// What a restore could not make, and when it ends with that.
@Suite struct PostgresRefusalsTests {
    @Test func `what was to be expected ends no restore, and is named beside what does`() throws {
        let refusals = PostgresRefusals()
        refusals.add(["FK CONSTRAINT a: no"], to: "cannot make keys", "", areExpected: true)
        refusals.add([], to: "cannot make nothing", "", areExpected: false)
        #expect(!refusals.endsRestore)
        try refusals.endRestore()

        let words = ["INDEX b: no", "INDEX c: no"]
        refusals.add(words, to: "cannot make indexes", "CONTEXT: d", areExpected: false)
        refusals.add(["POLICY e: no"], to: "cannot make policies", "", areExpected: false)
        #expect(refusals.endsRestore)
        let error = #expect(throws: BackupError.self) { try refusals.endRestore() }
        #expect(error?.code == .serverRefused)
        #expect(error?.message == "cannot make indexes: INDEX b: no (and 3 more problems)")
        #expect(
            error?.underlying == """
                not made: FK CONSTRAINT a: no
                not made: INDEX b: no
                not made: INDEX c: no
                not made: POLICY e: no
                CONTEXT: d
                """)
    }

    @Test func `what failed is found where several sessions write into one line`() {
        let messages = """
            pg_restore:pg_restore: from TOC entry 12; 1259 16541 INDEX a shop
             from TOC entry 13; 1259 16542 INDEX b shop
            pg_restore: error: could not execute query: ERROR:  not ready
            """
        #expect(PostgresRestoreProblem.entries(in: messages) == [12, 13])
    }
}
