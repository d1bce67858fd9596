import BackupCore
import Synchronization

/// How long a restore waits for locks on what was there before, and whom it has waited for.
///
/// Others wait behind a statement that waits, for as long as it does. A restore that has no connection to spare for the
/// look waits as long, and cannot name anybody.
final class PostgresPatience: Sendable {
    static let seconds = 60
    /// As `lock_timeout` takes it.
    static let limit = "\(seconds)s"

    /// What it looks through; nil where no connection can be spared.
    let locks: PostgresLocks?
    private let process: String
    private let last = Mutex<PostgresBlocked?>(nil)

    private init(of session: PostgresConnection, _ settings: PostgresSettings) async throws {
        do {
            process = try await session.process()
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot prepare the session")
        }
        let connection = await PostgresRoom.spareConnection(
            settings, beside: session, needed: 0, encoding: "UTF8", side: .target)
        locks = connection.map { PostgresLocks(connection: $0) }
    }

    /// Runs `body`, which limits its waits itself.
    ///
    /// - Throws: `BackupError.locked` with the name of whoever was in the way; whatever else `body` throws.
    static func run<Result: Sendable>(
        _ doing: String, on session: PostgresConnection, _ settings: PostgresSettings,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await lasting(on: session, settings) { patience in
            try await patience.run(doing, body)
        }
    }

    /// The same for several things one after another, each of which `body` runs by itself.
    static func lasting<Result: Sendable>(
        on session: PostgresConnection, _ settings: PostgresSettings,
        _ body: (PostgresPatience) async throws -> Result
    ) async throws -> Result {
        let patience = try await PostgresPatience(of: session, settings)
        // Ends with this scope, whatever way it is left.
        async let _: Void = patience.watch()
        return try await body(patience)
    }

    /// Runs one of them.
    func run<Result: Sendable>(
        _ doing: String, _ body: () async throws -> Result
    ) async throws -> Result {
        // Whoever was in the way of the one before.
        last.withLock { $0 = nil }
        do {
            return try await body()
        } catch let error as PostgresError where error.sqlState == "55P03" {
            throw failure(error.backupError(while: doing), while: doing)
        } catch let error as BackupError where error.code == .locked {
            throw failure(error, while: doing)
        }
    }

    private func watch() async {
        guard let locks else { return }
        while !Task.isCancelled {
            do {
                // The last one that was in the way: by the time of the error nobody is.
                if let blocked = try await locks.blocking([process]) {
                    last.withLock { $0 = blocked }
                }
                try await Task.sleep(for: .seconds(2))
            } catch {
                // Cancelled, or cut off from the server: whoever waits will notice that by itself.
                return
            }
        }
    }

    private func failure(_ error: BackupError, while doing: String) -> BackupError {
        let blocked = last.withLock { $0 }
        var failure = error
        failure.code = .locked
        if let blocked { failure.message = "\(doing): \(blocked.words)" }
        failure.hint =
            (blocked?.ending ?? "Wait until other sessions have ended that use it.")
            + " Run the same restore again then: it goes on with what is missing."
        return failure
    }
}
