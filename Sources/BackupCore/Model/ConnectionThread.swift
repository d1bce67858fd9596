import Dispatch

/// The thread of one connection: servers' client libraries block, and must not block Swift's own threads.
package final class ConnectionThread: SerialExecutor {
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
