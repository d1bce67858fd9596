/// Pauses before something is tried again, each longer than the one before, until the time is up.
public struct GrowingPauses: Sendable {
    private let end: ContinuousClock.Instant
    private var next = Duration.milliseconds(250)

    /// Begins now.
    public init(for limit: Duration) { end = .now + limit }

    /// Those for a server that takes nobody now, and may in a moment.
    public static var beforeConnecting: GrowingPauses { GrowingPauses(for: .seconds(20)) }

    /// Waits; false at once where the time would be up.
    ///
    /// - Throws: `CancellationError`.
    public mutating func wait() async throws -> Bool {
        guard ContinuousClock.now + next < end else { return false }
        try await Task.sleep(for: next)
        next = min(next * 2, .seconds(4))
        return true
    }
}
