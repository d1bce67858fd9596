/// How far a target has come with things that it does one after another or side by side.
public struct StepProgress: Sendable, Equatable {
    /// One of them, while it is being done.
    public struct Step: Sendable, Equatable {
        /// What it makes or changes, for people: `public.orders_person`.
        public var name: String
        /// What happens to it now, for people: `reading rows`.
        public var activity: String?
        /// How much of the activity is done, from 0 to 1; nil when nobody knows.
        public var share: Double?
        /// When the step began; nil when nobody knows.
        public var began: ContinuousClock.Instant?

        /// Describes a step.
        public init(
            _ name: String, activity: String? = nil, share: Double? = nil,
            began: ContinuousClock.Instant? = nil
        ) {
            self.name = name
            self.activity = activity
            self.share = share
            self.began = began
        }
    }

    /// How many are done; those that failed for good count too.
    public var done: Int
    /// How many there are.
    public var total: Int
    /// The one that has been under way for longest.
    public var current: Step?

    /// Describes how far something has come.
    public init(done: Int, total: Int, current: Step? = nil) {
        self.done = done
        self.total = total
        self.current = current
    }
}
