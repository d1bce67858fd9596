import BackupCore

/// Things that the server lists, and does not say what makes them: their files are damaged, or what they show is gone.
extension MySQLObjects {
    /// A table or a view that the server does not describe, and why.
    struct Undescribed: Sendable {
        let relation: MySQLCatalog.Relation
        let reason: MySQLError
    }

    /// What the server said when it was asked for each of some tables and views.
    struct Answers: Sendable {
        /// What makes the tables, by their names; without those of which it said nothing.
        var statements: [ExactText: String] = [:]
        /// What it does not describe; views are among them where they show a table that cannot be opened.
        var undescribed: [Undescribed] = []
    }

    /// Asks what makes some relations, once for all who want to know it.
    ///
    /// - Throws: `MySQLError`; `CancellationError`.
    func answers(about relations: [MySQLCatalog.Relation]) async throws -> Answers {
        var answers = Answers()
        let views = relations.filter { $0.kind == .view }
        for relation in relations.filter({ $0.kind == .table }) + views {
            do {
                if relation.kind == .view {
                    _ = try await connection.rowsInterruptibly(
                        "SHOW CREATE VIEW \(MySQLText.qualified(relation.name))",
                        within: patience)
                } else {
                    answers.statements[ExactText(relation.name.name)] =
                        try await statement(of: relation.name)
                }
            } catch let error as MySQLError where error.isLockTimeout && relation.kind == .view {
                // Each further one might be waited for as long.
                return answers
            } catch let error as MySQLError where error.isOfUnopenedTable {
                answers.undescribed.append(Undescribed(relation: relation, reason: error))
            } catch let error as MySQLError where !error.isConnectionLoss {
                // What the account may not see, what somebody keeps locked or has dropped is told where it matters.
            }
        }
        return answers
    }

    /// The same as an error that names the thing.
    func error(of kind: MySQLObject.Kind, _ name: String, _ reason: MySQLError) -> BackupError {
        var error = reason.backupError(
            while: "the server does not say what makes \(kind.rawValue.lowercased()) \(name)")
        let way =
            [.table, .view].contains(kind) && maySkip
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
