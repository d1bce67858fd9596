import BackupCore

/// Things that the server lists, and does not say what makes them: their files are damaged, or what they show is gone.
extension MySQLObjects {
    /// A table that the server does not describe, and why.
    struct Undescribed: Sendable {
        let relation: MySQLCatalog.Relation
        let reason: MySQLError
    }

    /// Those among some tables.
    ///
    /// - Throws: `MySQLError`; `CancellationError`.
    func undescribed(among relations: [MySQLCatalog.Relation]) async throws -> [Undescribed] {
        var found: [Undescribed] = []
        for relation in relations where relation.kind == .table {
            do {
                _ = try await connection.rowsInterruptibly(
                    "SHOW CREATE TABLE \(MySQLText.qualified(relation.name))")
            } catch let error as MySQLError where error.isOfUnopenedTable {
                found.append(Undescribed(relation: relation, reason: error))
            } catch let error as MySQLError where !error.isConnectionLoss {
                // What the account may not see, what somebody keeps locked or has dropped is told where it matters.
            }
        }
        return found
    }

    /// The same as an error that names the thing.
    func error(of kind: MySQLObject.Kind, _ name: String, _ reason: MySQLError) -> BackupError {
        var error = reason.backupError(
            while: "the server does not say what makes \(kind.rawValue.lowercased()) \(name)")
        let way =
            kind == .table && maySkip
            ? "Mend it or drop it, or leave it out with --skip-unreadable." : "Mend it or drop it."
        error.hint = error.hint ?? way
        return error
    }
}

extension MySQLError {
    /// Whether it tells that a table cannot be opened, whoever asks for it and whenever.
    var isOfUnopenedTable: Bool {
        // One that is not there, or is another one by now, was changed meanwhile.
        number > 0 && ![1146, 1412].contains(number)
            && !isConnectionLoss && !isRefusal && !isLockTimeout && !isCircumstantial
    }
}
