import BackupCore

/// Makes views, routines, triggers and events: each under the settings that it was made under, which
/// a session of its own takes.
struct MySQLMaker: Sendable {
    let settings: MySQLTargetPreparation
    let server: MySQLServer
    let acting: MySQLDefiner

    /// Makes them in an order in which each finds what it needs.
    ///
    /// - Returns: What could not be made, because what it needs is not there.
    /// - Throws: `BackupError`.
    func make(_ objects: [MySQLObject], _ steps: StepCounter) async throws -> [String] {
        guard !objects.isEmpty else { return [] }
        let connection = try await settings.connect()
        do {
            var failures: [String] = []
            // Bodies are looked at when they run, views when they are made.
            let views = objects.filter { $0.kind == .view }
            let routines = objects.filter { $0.kind > .view && $0.kind < .trigger }
            for object in routines { try await make(object, steps, connection) }
            failures += try await makeViews(views, steps, connection)
            for object in objects where object.kind >= .trigger {
                try await make(object, steps, connection)
            }
            return failures
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot create the structure")
        }
    }

    /// Again and again, until those that are left find nothing new.
    private func makeViews(
        _ views: [MySQLObject], _ steps: StepCounter, _ connection: MySQLConnection
    ) async throws -> [String] {
        var left = views
        while true {
            var failed: [(MySQLObject, String)] = []
            for view in left {
                do {
                    try await make(view, steps, connection)
                } catch let error as BackupError where error.code == .notFound {
                    failed.append((view, error.message))
                }
            }
            guard !failed.isEmpty, failed.count < left.count else {
                return failed.map { "view \($0.0.name): \($0.1)" }
            }
            left = failed.map(\.0)
        }
    }

    /// - Throws: `BackupError.notFound` for what needs something that is not there.
    private func make(
        _ object: MySQLObject, _ steps: StepCounter, _ connection: MySQLConnection
    ) async throws {
        guard let head = MySQLStatementHead(object.statement) else {
            throw BackupError(
                .damaged,
                "what makes \(object.kind.rawValue.lowercased()) \(object.name) is not understood")
        }
        do {
            try await steps.take("\(object.kind.rawValue.lowercased()) \(object.name)") {
                for setting in object.settings {
                    try await connection.execute(
                        "SET SESSION \(setting.name) = \(MySQLText.literal(setting.value))")
                }
                try await connection.executeInterruptibly(
                    head.statement(acting: acting))
            }
        } catch let error as MySQLError where Self.missing.contains(error.number) {
            throw BackupError(.notFound, error.message)
        } catch let error as MySQLError {
            throw error.backupError(
                while: "cannot create \(object.kind.rawValue.lowercased()) \(object.name)")
        }
    }

    /// A database, a table, a column, a routine, or what a view shows.
    private static let missing: Set<UInt32> = [1049, 1146, 1054, 1305, 1356]
}
