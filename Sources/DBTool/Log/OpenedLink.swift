import Foundation

/// What a symbolic link says and whose it is, both of the one link that was opened, whatever has its path a moment later.
struct OpenedLink {
    private static let slash: CChar = 47
    #if os(Linux)
        /// `O_PATH`, which not every import of the system's headers shows, and `O_NOFOLLOW`: the link itself.
        private static let flags = 0o10_000_000 | O_NOFOLLOW | O_CLOEXEC
    #else
        private static let flags = O_RDONLY | O_SYMLINK | O_NONBLOCK | O_CLOEXEC
    #endif

    /// As the system has it, without a zero at its end.
    private let target: [CChar]
    let owner: uid_t
    /// Whether it is one of those in `/proc`: what they say need not be a path, and nobody but the system makes them.
    let isOfSystem: Bool

    /// Opens the link that has a path, which ends with a zero; nil where something else has it, or nothing.
    init?(_ path: [CChar]) {
        let descriptor = open(path, Self.flags)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else {
            return nil
        }
        owner = status.st_uid
        target = [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            #if os(Linux)
                count = max(0, readlinkat(descriptor, "", start, buffer.count))
            #else
                count = max(0, freadlink(descriptor, start, buffer.count))
            #endif
        }
        var system = stat()
        isOfSystem = stat("/proc/self", &system) == 0 && system.st_dev == status.st_dev
    }

    /// Where it leads from its own path; both end with a zero.
    func place(from path: [CChar]) -> [CChar] {
        var place: [CChar] = []
        if target.first != Self.slash, let end = path.lastIndex(of: Self.slash) {
            place += path[...end]
        }
        place += target
        place.append(0)
        return place
    }
}
