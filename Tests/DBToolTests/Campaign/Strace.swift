import BackupTesting
import Foundation
import Testing

/// strace, which kills a program at one of its calls of the system, or lets the call fail.
///
/// It counts the calls of each thread on its own, so that the same number may be another moment next time.
/// - SeeAlso: <https://man7.org/linux/man-pages/man1/strace.1.html>, "Tampering"
struct Strace {
    /// A call of the system, and which of its kind in a thread.
    struct Step: CustomStringConvertible {
        let call: String
        let number: Int
        var description: String { "\(call) \(number)" }
    }

    private static let program = "/usr/bin/strace"

    /// Every step that a command takes, by the thread that takes most of a kind.
    static func steps(
        of calls: [String], log: String, _ run: ([String]) async throws -> ProgramEnd
    ) async throws -> [Step] {
        try await run(
            [
                program, "-f", "-b", "execve", "-o", log, "-e",
                "trace=\(calls.joined(separator: ","))",
            ]
        ).requireCode(0)
        var counts: [String: [Substring: Int]] = [:]
        for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
            guard let match = line.firstMatch(of: /^(\d+) +([a-z0-9_]+)\(/) else { continue }
            counts[String(match.2), default: [:]][match.1, default: 0] += 1
        }
        return calls.flatMap { call in
            (1..<(1 + (counts[call]?.values.max() ?? 0))).map { Step(call: call, number: $0) }
        }
    }

    /// The words before a command that is killed when it is about to take a step.
    static func killing(at step: Step) -> [String] {
        inject(step.call, "signal=SIGKILL:when=\(step.number)")
    }

    /// The words before a command for which a step fails, and where `forGood` all of its kind from then on.
    ///
    /// `log`: Gets every call of that kind, with `(INJECTED)` behind those that failed.
    static func failing(
        _ step: Step, with error: String, forGood: Bool, log: String
    ) -> [String] {
        inject(step.call, "error=\(error):when=\(step.number)\(forGood ? "+" : "")", log: log)
    }

    private static func inject(
        _ call: String, _ what: String, log: String = "/dev/null"
    ) -> [String] {
        [
            program, "-f", "-b", "execve", "-o", log, "-e", "trace=\(call)",
            "-e", "inject=\(call):\(what)",
        ]
    }
}
