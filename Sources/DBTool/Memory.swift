import CLinux

/// How the process asks for memory.
enum Memory {
    /// Lets all threads share one heap, which keeps what it was given.
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
            mallopt(M_TRIM_THRESHOLD, 32 << 20)
        #endif
    }
}
