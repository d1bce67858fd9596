import BackupCore

/// Makes views, routines, triggers and events: each under the settings that it was made under, which
/// a session of its own takes, and its database too for a moment.
struct MySQLMaker: Sendable {
    let settings: MySQLTargetPreparation
    let server: MySQLServer
    let acting: MySQLDefiner
    /// The database's own collation, where an interrupted restore may have left it with another.
    let collation: String?

    /// Makes them in an order in which each finds what it needs.
    ///
    /// - Returns: What could not be made: what it needs is not there, or is such that the server makes no view of it.
    /// - Throws: `BackupError`.
    func make(_ objects: [MySQLObject], _ steps: StepCounter) async throws -> [String] {
        guard !objects.isEmpty || collation != nil else { return [] }
        let connection = try await settings.connect(to: server)
        do {
            if let collation { try await take(collation, connection) }
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

    /// - Throws: `BackupError.notFound` for what needs something that is not there, and for a view that is refused for what it is.
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
                try await within(object, connection) {
                    for setting in object.settings
                    where setting.name != MySQLObject.Setting.collation {
                        try await connection.execute(setting.statement)
                    }
                    try await connection.executeInterruptibly(
                        head.statement(acting: acting))
                    if object.kind == .event { try await noteWhetherPast(object, connection) }
                }
            }
        } catch let error as MySQLError
            where Self.missing.contains(error.number)
            || object.kind == .view && Self.leavesViewOut(error)
        {
            throw BackupError(.notFound, error.message)
        } catch let error as MySQLError {
            throw error.backupError(
                while: "cannot create \(object.kind.rawValue.lowercased()) \(object.name)")
        }
    }

    /// A body that declares texts without saying how they compare has it from the database that it is made in, and
    /// keeps it when that changes.
    private func within(
        _ object: MySQLObject, _ connection: MySQLConnection, _ body: () async throws -> Void
    ) async throws {
        guard let collation = object.collation else { return try await body() }
        let own = try await connection.value("SELECT @@collation_database") ?? ""
        guard collation != own else { return try await body() }
        try await connection.execute(MySQLRestoreMark.owns(own))
        try await take(collation, connection)
        do {
            try await body()
        } catch {
            try? await take(own, connection)
            throw error
        }
        try await take(own, connection)
    }

    private func take(_ collation: String, _ connection: MySQLConnection) async throws {
        let setting = MySQLObject.Setting(
            name: MySQLObject.Setting.collation, value: collation)
        try await connection.execute(setting.statement)
    }

    /// The server drops at once what would never happen, and only says so.
    private func noteWhetherPast(_ event: MySQLObject, _ connection: MySQLConnection) async throws {
        let warnings = try await connection.rows("SHOW WARNINGS")
        guard warnings.contains(where: { $0[1] == Self.isPast }) else { return }
        settings.request.notes("event \(event.name) is not there: its time is past")
    }

    /// `ER_EVENT_CANNOT_CREATE_IN_THE_PAST`.
    private static let isPast = "1588"

    /// A database, a table, a column, a routine, or what a view shows.
    private static let missing: Set<UInt32> = [1049, 1146, 1054, 1305, 1356]

    /// Whether a view is refused for what it is, or for what it shows, and not for how the server is doing or for want of the
    /// privilege to make views.
    ///
    /// A view of columns that have changed since, to collations that do not compare, is refused each time: as an error that
    /// would keep all that comes behind it from being made.
    static func leavesViewOut(_ error: MySQLError) -> Bool {
        guard !tellsOfAbsence(error) else { return true }
        // Lower numbers tell of files.
        return error.number >= 1000 && !error.isConnectionLoss && !error.isRefusal
            && !error.isLockTimeout && !error.isCircumstantial && !ofOthers.contains(error.number)
    }

    /// Whether it tells that what a view shows is not there, or may not be read.
    static func tellsOfAbsence(_ error: MySQLError) -> Bool {
        missing.contains(error.number) || isOutOfReach(error)
    }

    /// Something else has the view's name; files that the server cannot open; statements that it has no more room for, or
    /// tables that are altered meanwhile; a cluster, or a commit.
    private static let ofOthers: Set<UInt32> = [
        1050, 1016, 1030, 1412, 1461, 1615, 1047, 1105, 1180, 3032, 3100, 3101,
    ]

    /// Whether it tells of what a view shows, that it is there for others or at other times.
    ///
    /// Without the privilege to make views at all nothing is lost but time: once it is granted the restore goes on.
    static func isOutOfReach(_ error: MySQLError) -> Bool {
        outOfReach.contains(error.number) && !error.message.contains("CREATE VIEW")
    }

    private static let outOfReach: Set<UInt32> = [
        // A table, a column or a routine that the account may not read or call; one in a database that it may not
        // even see is refused in the same words.
        1142, 1143, 1370,
        // A view beneath acts for an account that is not there.
        1449,
        // Tables that show others (MERGE, FEDERATED, SPIDER), which do not answer or are not there.
        1168, 1429, 1430, 1431, 1477,
    ]
}
