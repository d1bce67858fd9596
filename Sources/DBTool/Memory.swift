import CLinux

/// How the process asks for memory.
enum Memory {
    /// Lets all threads share one heap.
    ///
    /// Batches are made by one thread and freed by another; with a heap for each thread (glibc's way)
    /// every heap keeps room for the most that it ever had.
    static func shareHeap() {
        #if os(Linux)
            mallopt(M_ARENA_MAX, 1)
        #endif
    }
}
