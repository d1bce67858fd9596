import Synchronization

/// Lets a fixed number of tasks through at a time, first come, first served.
public final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var nextTicket = 0
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    /// - Parameter permits: How many may be inside at a time; at least 1.
    public init(permits: Int) {
        precondition(permits > 0)
        state = Mutex(State(free: permits))
    }

    /// Runs `body` inside.
    ///
    /// - Throws: `CancellationError` when cancelled while waiting; whatever `body` throws.
    public func pass<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await enter()
        defer { leave() }
        return try await body()
    }

    /// How many wait to be let in now.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func enter() async throws {
        let ticket: Int? = state.withLock { state in
            if state.free > 0 && state.waiting.isEmpty {
                state.free -= 1
                return nil
            }
            state.nextTicket += 1
            return state.nextTicket
        }
        guard let ticket else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enum Outcome { case waits, mayEnter, isCancelled }
                let outcome: Outcome = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return .isCancelled }
                    if state.free > 0 {
                        state.free -= 1
                        return .mayEnter
                    }
                    state.waiting.append((ticket, continuation))
                    return .waits
                }
                switch outcome {
                case .waits: break
                case .mayEnter: continuation.resume()
                case .isCancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    private func cancel(_ ticket: Int) {
        let waiting = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                // Not waiting yet, or already inside; the former finds this mark.
                state.cancelled.insert(ticket)
                return nil
            }
            return state.waiting.remove(at: index).continuation
        }
        waiting?.resume(throwing: CancellationError())
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }
}
