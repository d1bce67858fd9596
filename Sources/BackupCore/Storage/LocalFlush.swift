/// Flushes many files of this machine side by side.
///
/// Each waits for the disk once. A journal that is asked for all of them at once writes them together, which
/// is up to fifty times as fast as one after the other.
enum LocalFlush {
    private static let threads = 8

    /// Returns when the bytes of all of them are on the disk; one that is gone needs that no more.
    static func flush(_ paths: [String]) async throws {
        // The disk may begin with all of them before the first is waited for.
        for path in paths { LocalFile.beginFlush(path) }
        let rest = Exclusive(paths[...])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<min(threads, paths.count) {
                group.addTask { try await Flusher().flush(rest) }
            }
            try await group.waitForAll()
        }
    }

    private actor Flusher {
        private nonisolated let thread = BlockingThread(label: "dbtool.flush")

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            thread.asUnownedSerialExecutor()
        }

        func flush(_ paths: Exclusive<ArraySlice<String>>) throws {
            while let path = paths.withValue({ $0.popFirst() }) { try LocalFile.flush(path) }
        }
    }
}
