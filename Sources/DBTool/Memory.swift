import CLinux

/// How the process asks for memory.
enum Memory {
    /// Lets all threads share one heap, which keeps what it is given for a moment.
    ///
    /// Batches are made by one thread and freed by another; with a heap for each thread (glibc's way)
    /// every heap keeps room for the most that it ever had. And by glibc's own thresholds nearly every
    /// batch of a megabyte is given back to the system and asked for again, which then clears its pages:
    /// a third of the processor time of a verification.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man3/mallopt.3.html>
    static func shareHeap() {
        #if os(Linux)
            mallopt(M_ARENA_MAX, 1)
            mallopt(M_MMAP_THRESHOLD, 16 << 20)
            mallopt(M_TRIM_THRESHOLD, 12 << 20)
            // What is free between what is used stays with the process otherwise: most of its memory.
            Task.detached(priority: .background) {
                while true {
                    try await Task.sleep(for: .milliseconds(200))
                    malloc_trim(0)
                }
            }
        #endif
    }
}
