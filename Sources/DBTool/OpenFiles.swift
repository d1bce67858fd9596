import BackupCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How many files the process may have open at once.
enum OpenFiles {
    /// More than a run with a few connections takes.
    ///
    /// With fewer the library that starts pg_dump may find none left for its pipes, and ends the process then, without
    /// words.
    private static let needed: rlim_t = 128
    /// A join that does not fit into memory has 512 files of its own, and each of several connections may have one.
    private static let wanted: rlim_t = 16384

    /// Allows as many as are wanted, as far as that is up to the process.
    ///
    /// - Throws: `BackupError.storageFailed` where that is too few.
    static func allow() throws {
        #if canImport(Darwin)
            let kind = RLIMIT_NOFILE
        #else
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { return }
        if limit.rlim_cur < wanted {
            limit.rlim_cur = min(wanted, limit.rlim_max)
            // What is refused leaves what there is.
            setrlimit(kind, &limit)
            getrlimit(kind, &limit)
        }
        guard limit.rlim_cur < needed else { return }
        throw BackupError(
            .storageFailed, "only \(limit.rlim_cur) files may be open at once",
            hint: "Allow at least \(needed): ulimit -n 1024")
    }
}
