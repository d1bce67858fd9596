/// Counts how many tasks are at one place at a time.
public actor InsideCounter {
    /// How many are there now.
    public private(set) var count = 0
    /// The most that were there at a time.
    public private(set) var maximum = 0

    /// Nobody is there.
    public init() {}

    /// One more is there.
    public func enter() {
        count += 1
        maximum = max(maximum, count)
    }

    /// One less is there.
    public func leave() {
        count -= 1
    }
}
