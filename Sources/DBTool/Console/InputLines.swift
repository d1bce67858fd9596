import Foundation

/// The lines of standard input, each read by a thread of its own: whoever waits can be cancelled.
actor InputLines {
    private var waiting: CheckedContinuation<String?, Never>?

    /// The next line without its end; nil at the end of the input.
    ///
    /// - Throws: `CancellationError`.
    func next() async throws -> String? {
        try Task.checkCancellation()
        let line = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting = continuation
                Thread.detachNewThread {
                    let line = readLine()
                    Task { await self.finish(line) }
                }
            }
        } onCancel: {
            Task { await self.finish(nil) }
        }
        try Task.checkCancellation()
        return line
    }

    private func finish(_ line: String?) {
        waiting?.resume(returning: line)
        waiting = nil
    }
}
