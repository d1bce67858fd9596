import Dispatch

/// A thread for calls that block, as those of servers' client libraries do: they must not block Swift's own threads.
package final class BlockingThread: SerialExecutor {
    private let queue: DispatchQueue

    /// A thread that debuggers show by this name.
    package init(label: String) { queue = DispatchQueue(label: label) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
