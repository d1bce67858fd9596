import BackupCore

/// Settings of a new database that decide who its sessions are, and whether there can be any.
///
/// A restore whose later sessions began with them might be another role by then, or shut out: they come with its last
/// transaction. A database that is dropped again goes without.
struct PostgresLoginSettings: Sendable {
    private typealias Setting = PostgresDatabaseStatements.Setting

    /// Those of the source that nobody has refused.
    private let accepted: Exclusive<[Setting]>
    private let settings: PostgresSettings

    /// `settings`: Lead to the new database.
    init(_ request: TargetRequest, _ settings: PostgresSettings) {
        let isWanted = request.creates && !request.isScratch
        let all = isWanted ? PostgresDatabaseStatements.settings(request) : []
        accepted = Exclusive(all.filter(\.isOfLogin))
        self.settings = settings
    }

    /// Whether there are none to be given.
    var isEmpty: Bool { accepted.withValue { $0.isEmpty } }

    /// Gives the accepted ones to the database, in the transaction that is open.
    func give(on connection: PostgresConnection) async throws {
        for setting in accepted.withValue({ $0 }) {
            try await connection.execute(setting.statement)
        }
    }

    /// Leaves out those that the server refuses, or that would keep everybody from logging in.
    ///
    /// Nothing of it stays: whatever ends the restore now, its database can be opened.
    ///
    /// - Returns: What was left out, and why.
    func refusals(on connection: PostgresConnection) async throws -> [String] {
        var refused: [String] = []
        for setting in accepted.withValue({ $0 }) {
            guard let words = try await refusal(of: setting, on: connection) else { continue }
            refused.append(words)
            accepted.withValue { $0.removeAll { $0.key == setting.key } }
        }
        return refused
    }

    private func refusal(
        of setting: Setting, on connection: PostgresConnection
    ) async throws -> String? {
        try await connection.execute("BEGIN")
        do {
            let refusal = try await setting.refusal(on: connection)
            await PostgresTarget.rollBack(connection)
            if let refusal { return refusal }
        } catch {
            await PostgresTarget.rollBack(connection)
            throw error
        }
        return try await obstacle(of: setting)
    }

    /// Why no session can begin with libraries: one that asks for them as it logs in has them loaded as all would.
    private func obstacle(of setting: Setting) async throws -> String? {
        guard setting.loadsLibraries else { return nil }
        let own = PostgresLogin(settings).parameters["options"].map { "\($0) " } ?? ""
        var trial = settings
        trial.options = "\(own)-c \(setting.key)=\(PostgresComputing.escaped(setting.value))"
        do {
            _ = try await PostgresConnection(trial)
            return nil
        } catch let error as BackupError where error.code == .connectionFailed {
            // Whether it is for these, a session without them tells.
            _ = try await PostgresConnection(settings)
            return "\(setting.name): \(error.message)"
        }
    }
}
