import BackupCore
import Testing

@Suite struct GrowingPausesTests {
    @Test func `pauses grow, and end before the time is up`() async throws {
        var pauses = GrowingPauses(for: .seconds(6))
        let begin = ContinuousClock.now
        var count = 0
        while try await pauses.wait() { count += 1 }
        // The fifth would end too late; a busy machine has time for fewer.
        #expect((1...4).contains(count))
        // 250 ms, and each twice as long as the one before.
        #expect(ContinuousClock.now - begin >= Duration.milliseconds(250) * ((1 << count) - 1))
    }
}
