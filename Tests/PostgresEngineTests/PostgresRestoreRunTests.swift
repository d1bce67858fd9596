import Foundation
import Testing

@testable import PostgresEngine

/// Whether pg_restore has tried everything, which no list of failures tells.
@Suite struct PostgresRestoreRunTests {
    private static let connecting = "pg_restore: connecting to database for restore\n"
    private static let harmless = """
        pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
        Command was: SET transaction_timeout = 0;


        """
    private static let failure = """
        pg_restore: from TOC entry 7; 2606 16400 FK CONSTRAINT t t_fkey shop
        pg_restore: error: could not execute query: ERROR:  relation "u" does not exist
        Command was: ALTER TABLE ONLY t ADD CONSTRAINT t_fkey FOREIGN KEY (u) REFERENCES u(id);


        """
    private static let end = "pg_restore: warning: errors ignored on restore: 1\n"

    private static let settled: [(PostgresRestoreRun.Ending, String)] = [
        (.exited(0), ""), (.exited(0), connecting),
        (.exited(1), "\(connecting)\(harmless)\(end)"),
        (.exited(1), "\(connecting)\(harmless)\(failure)\(end)"),
    ]

    @Test(arguments: settled)
    func `a run that came to its end has tried everything`(
        ending: PostgresRestoreRun.Ending, messages: String
    ) {
        let run = PostgresRestoreRun(ending: ending, messages: messages)
        #expect(run.interruption == nil && !run.isCircumstantial)
        #expect(run.succeeded == (ending == .exited(0)))
    }

    private static let died: [(PostgresRestoreRun.Ending, String, String)] = [
        (.signaled(SIGKILL), "\(connecting)\(harmless)", "signal 9 ended pg_restore"),
        (.signaled(SIGSEGV), "\(connecting)\(failure)", "signal 11 ended pg_restore"),
        (.signaled(SIGKILL), "\(connecting)\(failure)\(end)", "signal 9 ended pg_restore"),
        (.exited(137), "\(connecting)\(harmless)", "pg_restore ended with status 137"),
        (.exited(1), "\(harmless)out of memory\n", "ended early: out of memory"),
        (.exited(1), "\(connecting)\(harmless)", "ended early: Command was: SET transaction"),
        (.exited(1), "\(harmless)pg_restore: error: a worker died\n", "early: a worker died"),
        (.exited(1), "\(connecting)\(failure)-- \(end)", "ended early: FK CONSTRAINT t t_fkey"),
        (.exited(1), "\(connecting)\(failure)\(end)more", "ended early: FK CONSTRAINT t t_fkey"),
        (.exited(1), "", "pg_restore ended early: no message"),
    ]

    @Test(arguments: died)
    func `a run that died has not tried everything, whatever it said before`(
        ending: PostgresRestoreRun.Ending, messages: String, interruption: String
    ) {
        let run = PostgresRestoreRun(ending: ending, messages: messages)
        #expect(run.interruption?.contains(interruption) == true, "\(run)")
        #expect(!run.succeeded)
    }

    @Test func `what happens on a machine is told from what a backup holds`() {
        let lost = "pg_restore: error: server closed the connection unexpectedly\n"
        let runs: [(PostgresRestoreRun.Ending, String, Bool)] = [
            (.signaled(SIGKILL), "", true), (.signaled(SIGTERM), "", true),
            (.signaled(SIGSEGV), "", false), (.exited(1), "out of memory\n", true),
            (.exited(1), "\(lost)\(Self.end)", true),
            (.exited(1), "\(Self.failure)\(Self.end)", false),
        ]
        for (ending, messages, isCircumstantial) in runs {
            let run = PostgresRestoreRun(ending: ending, messages: messages)
            #expect(run.isCircumstantial == isCircumstantial, "\(ending) \(messages)")
        }
    }
}
