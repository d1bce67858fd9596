import Synchronization

/// One line on standard error that tells how far work has come.
///
/// On a terminal it is redrawn in place; elsewhere it is written once for each new phase.
public final class ProgressLine: Sendable {
    private struct State {
        var shown = ""
    }

    private let state = Mutex(State())
    private let isInteractive = TerminalOutput.isInteractive

    /// A line that shows nothing yet.
    public init() {}

    /// Shows how far a phase has come.
    public func show(phase: String, details: String) {
        state.withLock { state in
            guard isInteractive else { return }
            let text = String("\(phase) \(details)".prefix(119))
            guard text != state.shown else { return }
            TerminalOutput.printError("\r\u{1B}[K\(text)")
            state.shown = text
        }
    }

    /// Says that a phase begins, where the line is not redrawn.
    public func begin(phase: String) {
        guard !isInteractive else { return }
        TerminalOutput.printError("\(phase) …\n")
    }

    /// Writes a line of its own and goes on below it.
    public func print(_ line: String) {
        state.withLock { state in
            TerminalOutput.printError(state.shown.isEmpty ? "\(line)\n" : "\r\u{1B}[K\(line)\n")
            state.shown = ""
        }
    }

    /// Removes the line.
    public func clear() {
        state.withLock { state in
            if !state.shown.isEmpty { TerminalOutput.printError("\r\u{1B}[K") }
            state.shown = ""
        }
    }
}
