import BackupCore
import Foundation
import Testing

/// Lets tests that use servers run, some at a time.
///
/// What each takes goes to the file that `DBTOOL_TEST_TIMES` names, a line of seconds and name: swift-testing's own times begin
/// while a test still waits for its turn.
public struct TestGate: Sendable {
    private let turnstile: Turnstile

    init(permits: Int) {
        turnstile = Turnstile(permits: permits)
    }

    /// Runs a test's body when it is its turn.
    public func pass<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await turnstile.pass {
            let start = ContinuousClock.now
            defer { Self.note(start.duration(to: .now)) }
            return try await body()
        }
    }

    private static func note(_ duration: Duration) {
        guard let path = ProcessInfo.processInfo.environment["DBTOOL_TEST_TIMES"],
            let file = fopen(path, "a")
        else { return }
        let seconds =
            Double(duration.components.seconds)
            + Double(duration.components.attoseconds) / 1e18
        let test = Test.current.map { "\($0.sourceLocation.fileName) \($0.name)" } ?? "?"
        fputs("\((seconds * 1000).rounded() / 1000)\t\(test)\n", file)
        fclose(file)
    }
}
