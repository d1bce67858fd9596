/// How fast something grows now: over the last seconds, not since its beginning.
public struct RecentRate: Sendable {
    /// How far back it looks.
    private static let window = 10.0
    /// Before that much has been seen, nothing is known.
    private static let leastSeconds = 3.0

    private var readings: [(seconds: Double, amount: Int)] = []
    private var grewAt = 0.0

    /// Nothing seen yet.
    public init() {}

    /// Notes how much there is at a time; times never go back.
    public mutating func note(_ amount: Int, at seconds: Double) {
        if amount != readings.last?.amount { grewAt = seconds }
        readings.append((seconds, amount))
        // The one before the window stays: it says how much there was when the window began.
        while readings.count > 2, readings[1].seconds <= seconds - Self.window {
            readings.removeFirst()
        }
    }

    /// Growth in a second; nil until it is known.
    public var perSecond: Double? {
        guard let first = readings.first, let last = readings.last else { return nil }
        let seconds = last.seconds - first.seconds
        guard seconds >= Self.leastSeconds else { return nil }
        return Double(last.amount - first.amount) / seconds
    }

    /// For how many seconds nothing has come.
    public var idleSeconds: Double { (readings.last?.seconds ?? 0) - grewAt }
}
