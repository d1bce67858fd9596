import BackupCore
import Synchronization

/// The databases that a `MemoryEngine` reads and restores into.
public final class MemoryServer: Sendable {
    private let databases: Mutex<[String: MemoryDatabase]>

    /// A server with these databases.
    public init(_ databases: [String: MemoryDatabase] = [:]) {
        self.databases = Mutex(databases)
    }

    /// A database as it is now; nil when there is none of this name.
    public subscript(database: String) -> MemoryDatabase? {
        get { databases.withLock { $0[database] } }
        set { databases.withLock { $0[database] = newValue } }
    }

    /// Changes a database, with nobody else changing it meanwhile.
    public func change<Result>(
        _ database: String, _ body: (inout MemoryDatabase) throws -> Result
    ) throws -> Result {
        try databases.withLock { databases in
            guard var changed = databases[database] else {
                throw BackupError(.notFound, "there is no database \(database)")
            }
            defer { databases[database] = changed }
            return try body(&changed)
        }
    }
}
