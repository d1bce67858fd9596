import Synchronization

/// Hands values from one task to another, so that both work at the same time.
///
/// One task sends, one receives; a bounded number of values waits between them.
public final class Relay<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var isFinished = false
        var isAbandoned = false
        /// Whether the receiver works on a value.
        var isReceiving = false
        var receiver: CheckedContinuation<Void, Never>?
        var sender: CheckedContinuation<Void, Never>?

        mutating func wake() -> [CheckedContinuation<Void, Never>] {
            defer { (receiver, sender) = (nil, nil) }
            return [receiver, sender].compactMap(\.self)
        }
    }

    private let capacity: Int
    private let isHuge: @Sendable (Value) -> Bool
    private let state = Mutex(State())

    /// A relay in which `capacity` values wait at most, at least 1, and beside one that `isHuge` no other.
    public init(capacity: Int, isHuge: @escaping @Sendable (Value) -> Bool = { _ in false }) {
        precondition(capacity > 0)
        self.capacity = capacity
        self.isHuge = isHuge
    }

    /// Runs `send` and, beside it, `receive` with each value that it sends.
    ///
    /// - Throws: What `receive` throws, else what `send` does.
    public static func run(
        capacity: Int, isHuge: @escaping @Sendable (Value) -> Bool = { _ in false },
        receive: @escaping @Sendable (Value) async throws -> Void,
        send: (Relay) async throws -> Void
    ) async throws {
        let relay = Relay(capacity: capacity, isHuge: isHuge)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { relay.abandon() }
                while let value = await relay.next() {
                    try await receive(value)
                    relay.receivedLast()
                }
            }
            let sent: Result<Void, any Error>
            do {
                sent = .success(try await send(relay))
            } catch {
                sent = .failure(error)
            }
            relay.finish()
            // Whoever sends may have failed because nobody received any more.
            try await group.waitForAll()
            try sent.get()
        }
    }

    /// Sends a value, and waits while there is no room for it; with a huge one, until it has been received.
    ///
    /// - Returns: False when nobody receives any more.
    public func send(_ value: Value) async -> Bool {
        await wait(until: { $0.values.count < capacity || $0.isAbandoned }) { $0.sender = $1 }
        let isSent = change { state in
            guard !state.isAbandoned else { return false }
            state.values.append(value)
            return true
        }
        guard isSent, isHuge(value) else { return isSent }
        await wait(until: { $0.values.isEmpty && !$0.isReceiving || $0.isAbandoned }) {
            $0.sender = $1
        }
        return state.withLock { !$0.isAbandoned }
    }

    /// The next value, once it is there; nil when there are no more.
    public func next() async -> Value? {
        await wait(until: { !$0.values.isEmpty || $0.isFinished }) { $0.receiver = $1 }
        return change { state in
            state.isReceiving = !state.values.isEmpty
            return state.values.isEmpty ? nil : state.values.removeFirst()
        }
    }

    private func receivedLast() { change { $0.isReceiving = false } }

    /// Nothing more is sent.
    public func finish() { change { $0.isFinished = true } }

    /// Nothing more is received.
    public func abandon() {
        change { state in
            state.isAbandoned = true
            state.values = []
        }
    }

    private func wait(
        until isReady: (State) -> Bool,
        _ register: (inout State, CheckedContinuation<Void, Never>) -> Void
    ) async {
        var mayGoOn = false
        while !mayGoOn {
            await withCheckedContinuation { continuation in
                mayGoOn = state.withLock { state in
                    if !isReady(state) { register(&state, continuation) }
                    return isReady(state)
                }
                if mayGoOn { continuation.resume() }
            }
        }
    }

    /// After a change whoever waits looks again.
    @discardableResult
    private func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, waiting) = state.withLock { (body(&$0), $0.wake()) }
        waiting.forEach { $0.resume() }
        return result
    }
}

extension Relay<RowBatch> {
    /// For rows: one batch is read while another is worked on, but of huge rows there is one at a time.
    public static func ofRows(
        receive: @escaping @Sendable (RowBatch) async throws -> Void,
        send: (Relay) async throws -> Void
    ) async throws {
        try await run(capacity: 1, isHuge: \.isHuge, receive: receive, send: send)
    }
}
