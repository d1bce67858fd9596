import Dispatch

/// The thread of one connection: libpq blocks, and must not block Swift's own threads.
final class ConnectionThread: SerialExecutor {
    private let queue = DispatchQueue(label: "dbtool.postgres.connection")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
