import Dispatch
import Foundation
import Synchronization
import Terminal

/// Ctrl-C and its kin: the first asks the work to undo itself and stop, the second stops at once.
enum Interruption {
    private static let requests = Atomic(0)
    /// What a signal stops, once it has begun: everything.
    private static let outer = Mutex<(@Sendable () -> Void)?>(nil)
    /// What a signal stops instead of everything: a command of the console.
    private static let inner = Mutex<(@Sendable () -> Void)?>(nil)

    /// Whether somebody asked to stop.
    static var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }

    /// Runs `body` in a task that a signal cancels, and nothing else with it.
    static func cancellingAlone<Result: Sendable>(
        _ body: @escaping @Sendable () async -> Result
    ) async -> Result {
        let task = Task { await body() }
        inner.withLock { $0 = { task.cancel() } }
        let result = await task.value
        inner.withLock { $0 = nil }
        requests.store(0, ordering: .relaxed)
        return result
    }

    /// Runs `body` in a task that a signal cancels.
    static func cancelling<Result: Sendable>(
        _ body: @escaping @Sendable () async -> Result
    ) async -> Result {
        // Who started this with nohup wants it to go on without its terminal.
        let hangsUp =
            unsafeBitCast(signal(SIGHUP, SIG_IGN), to: Int.self)
            != unsafeBitCast(SIG_IGN, to: Int.self)
        let sources = ([SIGINT, SIGTERM] + (hangsUp ? [SIGHUP] : [])).map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                let earlier = requests.add(1, ordering: .relaxed).oldValue
                let command = inner.withLock { $0 }
                guard let cancel = command, number == SIGINT else {
                    if earlier > 0 { _exit(ExitCode.interrupted.rawValue) }
                    command?()
                    let cancelAll = outer.withLock { $0 }
                    cancelAll?()
                    return
                }
                // The console outlives an impatient second one.
                switch earlier {
                case 0: cancel()
                case 1: TerminalOutput.printError("stopping; Ctrl-C leaves the console at once\n")
                default: _exit(ExitCode.interrupted.rawValue)
                }
            }
            source.resume()
            return source
        }
        // A reader that goes away (`dbtool rows … | head`) shows as a failed write.
        signal(SIGPIPE, SIG_IGN)
        // And so does a file that may not grow any more (`ulimit -f`).
        signal(SIGXFSZ, SIG_IGN)
        // Nothing begins before it can be stopped.
        let task = Task { await body() }
        outer.withLock { $0 = { task.cancel() } }
        // Whoever asked before that found nothing to cancel.
        if isRequested { task.cancel() }
        let result = await task.value
        sources.forEach { $0.cancel() }
        return result
    }
}
