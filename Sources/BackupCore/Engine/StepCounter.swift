import Synchronization

/// Counts things that are done one after another or side by side, and tells of each.
package final class StepCounter: Sendable {
    private struct State {
        var done = 0
        /// In the order in which they began.
        var running: [StepProgress.Step] = []
    }

    private let total: Int
    private let tell: @Sendable (StepProgress) -> Void
    private let state = Mutex(State())

    /// Tells at once that nothing is done yet.
    package init(_ total: Int, tell: @escaping @Sendable (StepProgress) -> Void) {
        self.total = total
        self.tell = tell
        tell(StepProgress(done: 0, total: total))
    }

    /// Runs `body`; what throws is not done.
    package func take<Result>(
        _ name: String, activity: String? = nil, _ body: () async throws -> Result
    ) async rethrows -> Result {
        tell(
            state.withLock { state in
                state.running.append(.init(name, activity: activity, began: .now))
                return progress(state)
            })
        var succeeded = false
        defer {
            tell(
                state.withLock { state in
                    if succeeded { state.done += 1 }
                    let place = state.running.firstIndex { $0.name.isExactly(name) }
                    if let place { state.running.remove(at: place) }
                    return progress(state)
                })
        }
        let result = try await body()
        succeeded = true
        return result
    }

    private func progress(_ state: State) -> StepProgress {
        StepProgress(done: state.done, total: total, current: state.running.first)
    }
}
