import Foundation

/// What a run of pg_restore has come to.
struct PostgresRestoreRun: Sendable {
    enum Ending: Equatable, Sendable {
        case exited(Int32), signaled(Int32)
    }

    let ending: Ending
    /// Everything that it said but for progress.
    let messages: String

    /// Nothing, done.
    static let ofNothing = PostgresRestoreRun(ending: .exited(0), messages: "")

    var succeeded: Bool { ending == .exited(0) }

    /// Why not everything was tried; nil where it was, and what failed is named.
    ///
    /// Only a run that came to its end has named all that failed: one that was killed, or had no memory left, names
    /// nothing of what it had yet to try.
    var interruption: String? {
        switch ending {
        case .exited(0):
            return nil
        case .exited(1):
            guard !hasCountedFailures else { return nil }
            let words =
                PostgresRestoreProblem.all(in: messages).last?.description
                ?? String(lastLine.isEmpty ? "no message" : lastLine)
            return "pg_restore ended early: \(words)"
        case .exited(let status):
            return "pg_restore ended with status \(status)"
        case .signaled(let signal):
            return "signal \(signal) ended pg_restore"
        }
    }

    /// Whether it failed for what happens on a machine, and not for what it was to make.
    var isCircumstantial: Bool {
        switch ending {
        case .exited:
            lastLine.hasSuffix("out of memory")
                || PostgresRestoreProblem.tellOfLostConnection(messages)
        case .signaled(let signal):
            [SIGHUP, SIGINT, SIGKILL, SIGTERM].contains(signal)
        }
    }

    /// The last thing that it says, once everything was tried and some of it failed.
    private var hasCountedFailures: Bool {
        lastLine.hasPrefix("pg_restore: warning: errors ignored on restore: ")
    }

    private var lastLine: Substring {
        messages.utf8.split(separator: UInt8(ascii: "\n")).last.map { Substring($0) } ?? ""
    }
}
