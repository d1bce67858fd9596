import BackupCore
import Testing

@Suite struct GrowingPausesTests {
    @Test func `pauses grow, and end before the time is up`() async throws {
        var pauses = GrowingPauses(for: .milliseconds(650))
        let begin = ContinuousClock.now
        let waited = try await pauses.wait()
        #expect(waited)
        #expect(ContinuousClock.now - begin >= .milliseconds(250))
        let waitedAgain = try await pauses.wait()
        #expect(!waitedAgain)
    }
}
