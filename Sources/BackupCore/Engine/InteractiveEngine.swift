/// An engine that people speak to themselves, not only through backups.
public protocol InteractiveEngine: Engine {
    /// The schema of names without one.
    var defaultSchema: String { get }

    /// A session for SQL that a person writes; it connects when it is used.
    ///
    /// `notice`: Hears what the server says besides.
    func sqlSession(notice: @escaping @Sendable (String) -> Void) -> any SQLSession

    /// The names of all tables now, for people who are typing one: it gives up soon.
    ///
    /// - Throws: `BackupError` without a connection; the server's error.
    func tableNames() async throws -> [TableName]
}
