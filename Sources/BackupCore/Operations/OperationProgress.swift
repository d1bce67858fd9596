import Synchronization

/// How far an operation has come.
///
/// The operation writes it, whoever shows it reads it.
public final class OperationProgress: Sendable {
    /// One look at it.
    public struct Reading: Sendable {
        /// What is being done, for people: `reading rows`.
        public var phase = ""
        /// Rows done in this phase.
        public var rows = 0
        /// Bytes done in this phase.
        public var bytes = 0
        /// About how many bytes there are in this phase; nil when nobody knows.
        public var totalBytes: Int?
        /// Which steps of this phase are done, where it has steps.
        public var steps: StepProgress?
        /// When the phase began.
        public var began = ContinuousClock.now

        /// Nothing done yet.
        public init(phase: String = "", totalBytes: Int? = nil) {
            self.phase = phase
            self.totalBytes = totalBytes
        }
    }

    private let reading = Mutex(Reading())
    private let notes: @Sendable (String) -> Void
    private let phases: @Sendable (String) -> Void

    /// Tells `notes` what a person should know at once, and `phases` each phase that begins.
    public init(
        notes: @escaping @Sendable (String) -> Void = { _ in },
        phases: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.notes = notes
        self.phases = phases
    }

    /// The state now.
    public var current: Reading { reading.withLock { $0 } }

    /// Begins a phase; who is told of it can still see how the one before it ended.
    func begin(_ phase: String, totalBytes: Int? = nil) {
        phases(phase)
        reading.withLock { $0 = Reading(phase: phase, totalBytes: totalBytes) }
    }

    /// Shows nothing until the next phase begins: a person is being asked something.
    public func pause() {
        reading.withLock { $0 = Reading() }
    }

    /// Counts work done.
    func add(rows: Int, bytes: Int) {
        reading.withLock {
            // What somebody else's repository says may be any number.
            $0.rows &+= rows
            $0.bytes &+= bytes
        }
    }

    /// Shows how far the steps of the phase have come.
    func show(_ steps: StepProgress) {
        reading.withLock { $0.steps = steps }
    }

    /// Says how far the total was wrong, as soon as a piece of it is known.
    func correctTotal(by bytes: Int) {
        reading.withLock { reading in
            reading.totalBytes = reading.totalBytes.map { max(0, $0 + bytes) }
        }
    }

    /// Tells a person something.
    public func note(_ text: String) {
        notes(text)
    }
}
