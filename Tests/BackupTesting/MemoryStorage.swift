public import BackupCore
import Synchronization

/// A storage in memory that can fail at any step, and lose in a crash what was not sealed.
public final class MemoryStorage: Storage {
    /// What is about to happen.
    public enum Step: Sendable, Hashable {
        case list(StorageName?)
        case entry(StorageName)
        case read(StorageName)
        case beginWrite(StorageName)
        case append(StorageName)
        case endWrite(StorageName)
        case seal(StorageName?)
        case remove(StorageName)
        case lock(StorageName)

        /// Whether it would change what is stored.
        public var isChange: Bool {
            switch self {
            case .list, .entry, .read, .lock: false
            case .beginWrite, .append, .endWrite, .seal, .remove: true
            }
        }
    }

    private struct State {
        var files: [StorageName: [UInt8]] = [:]
        /// What a crash would leave at least.
        var sealed: [StorageName: [UInt8]] = [:]
        var locks: [StorageName: String] = [:]
        var availableBytes: Int?
        var beforeStep: @Sendable (Step) throws -> Void = { _ in }
    }

    private let state = Mutex(State())

    /// An empty storage.
    public init() {}

    /// `memory`.
    public var location: String { "memory" }

    // MARK: For tests

    /// Calls `body` before each step from now on; what it throws fails the step.
    public func beforeEachStep(_ body: @escaping @Sendable (Step) throws -> Void) {
        state.withLock { $0.beforeStep = body }
    }

    /// What `availableBytes` says from now on.
    public func setAvailableBytes(_ count: Int?) {
        state.withLock { $0.availableBytes = count }
    }

    /// The bytes of every stored thing.
    public var files: [StorageName: [UInt8]] {
        get { state.withLock { $0.files } }
        set { state.withLock { $0.files = newValue } }
    }

    /// Dies and comes back: names that were not sealed are as `survives` says, locks are free.
    public func crash(survives: (StorageName) -> Bool) {
        state.withLock { state in
            for name in Set(state.files.keys).union(state.sealed.keys)
            where state.files[name] != state.sealed[name] && !survives(name) {
                state.files[name] = state.sealed[name]
            }
            state.sealed = state.files
            state.locks = [:]
            state.beforeStep = { _ in }
        }
    }

    // MARK: Storage

    public func list(_ folder: StorageName?) async throws -> [StorageEntry] {
        try begin(.list(folder))
        let depth = folder?.components.count ?? 0
        let entries = try state.withLock { state in
            try Set(state.files.keys.filter { $0.isInside(folder) }).map { name in
                let child = try StorageName(Array(name.components.prefix(depth + 1)))
                return Self.entry(child, in: state)
            }
        }
        return Set(entries.compactMap(\.self)).sorted { $0.name.last < $1.name.last }
    }

    public func entry(_ name: StorageName) async throws -> StorageEntry? {
        try begin(.entry(name))
        return state.withLock { Self.entry(name, in: $0) }
    }

    public func read<Result: Sendable>(
        _ name: StorageName, _ body: (any StorageReader) async throws -> Result
    ) async throws -> Result {
        try begin(.read(name))
        guard let bytes = state.withLock({ $0.files[name] }) else {
            throw BackupError(.notFound, "memory has no \(name)")
        }
        return try await body(MemoryFile(bytes))
    }

    public func write(
        _ name: StorageName, survival: WriteSurvival,
        _ body: (any StorageWriter) async throws -> Void
    ) async throws {
        try begin(.beginWrite(name))
        let file = MemoryFile([]) { [self] in try begin(.append(name)) }
        try await body(file)
        try begin(.endWrite(name))
        state.withLock { $0.files[name] = file.written }
    }

    /// Nothing: a write that was cut off has left nothing in memory.
    public func removeUnfinishedWrites(
        in folder: StorageName?, where isAbandoned: (String) -> Bool
    ) async throws {}

    public func seal(_ folder: StorageName?) async throws {
        try begin(.seal(folder))
        state.withLock { state in
            for name in Set(state.files.keys).union(state.sealed.keys)
            where folder == nil ? name.components.count == 1 : name.isInside(folder) {
                state.sealed[name] = state.files[name]
            }
        }
    }

    public func sealNames(in folder: StorageName) async throws {
        try begin(.seal(folder))
        state.withLock { state in
            for name in Set(state.files.keys).union(state.sealed.keys)
            where Array(name.components.dropLast()) == Array(folder.components) {
                state.sealed[name] = state.files[name]
            }
        }
    }

    public func remove(_ name: StorageName) async throws {
        try begin(.remove(name))
        state.withLock { state in
            state.files = state.files.filter { $0.key != name && !$0.key.isInside(name) }
        }
    }

    public func withLock<Result: Sendable>(
        _ name: StorageName, holder: String, _ body: () async throws -> Result
    ) async throws -> Result {
        try begin(.lock(name))
        try state.withLock { state in
            if let other = state.locks[name] {
                throw BackupError(.locked, "\(name) is held by another run: \(other)")
            }
            state.locks[name] = holder
        }
        defer { state.withLock { $0.locks[name] = nil } }
        return try await body()
    }

    public func holder(ofLock name: StorageName) async throws -> String? {
        state.withLock { $0.locks[name] }
    }

    public func checkWritable() async throws {}

    public func availableBytes() async throws -> Int? {
        state.withLock { $0.availableBytes }
    }

    private func begin(_ step: Step) throws {
        try state.withLock { $0.beforeStep }(step)
    }

    private static func entry(_ name: StorageName, in state: State) -> StorageEntry? {
        if let bytes = state.files[name] {
            return StorageEntry(name: name, isFolder: false, byteCount: bytes.count)
        }
        guard state.files.keys.contains(where: { $0.isInside(name) }) else { return nil }
        return StorageEntry(name: name, isFolder: true, byteCount: 0)
    }
}

extension StorageName {
    fileprivate func isInside(_ folder: StorageName?) -> Bool {
        let outer = folder?.components ?? []
        return components.count > outer.count && components.starts(with: outer)
    }
}
