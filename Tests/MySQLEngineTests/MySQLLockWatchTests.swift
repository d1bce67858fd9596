import BackupCore
import BackupTesting
import Synchronization
import Testing

@testable import MySQLEngine

/// A backup that makes others wait, or waits for them, says so and names them.
@Suite(.timeLimit(.minutes(10))) struct MySQLLockWatchTests {
    /// What a snapshot remarked.
    private final class Notes: Sendable {
        private let texts = Mutex<[String]>([])

        var all: [String] { texts.withLock { $0 } }

        func request(lockTimeout: Duration = .seconds(60)) -> SnapshotRequest {
            var request = SnapshotRequest(scope: .database)
            request.connections = 1
            request.lockTimeout = lockTimeout
            request.notes = { [self] note in texts.withLock { $0.append(note) } }
            return request
        }
    }

    private static func withPets(
        _ server: MySQLTestServer, _ body: (MySQLTestDatabase) async throws -> Void
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                "CREATE TABLE pets (name varchar(9) PRIMARY KEY); INSERT INTO pets VALUES ('Rex')")
            try await body(database)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a statement that waits for the backup is named while the backup runs`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withPets(server) { database in
            let notes = Notes()
            let alter = "ALTER TABLE pets ADD COLUMN age integer"
            let (writer, reader) = (
                try await database.connection(), try await database.connection()
            )
            let engine = MySQLEngine(database.settings())
            let tasks = try await engine.withSnapshot(of: notes.request()) { _ in
                let altering = Task { try await writer.execute(alter) }
                try await database.untilWaiting(count: 1)
                let reading = Task { try await reader.value("SELECT COUNT(*) FROM pets") }
                try await database.untilWaiting(count: 2)
                do {
                    try await eventually("both are told of") {
                        notes.all.contains {
                            $0.hasSuffix("s for this backup (1 more behind it): \(alter)")
                                && $0.hasPrefix("process ")
                                && $0.contains(" of account root has waited")
                        }
                    }
                } catch {
                    Issue.record("\(error): \(notes.all)")
                }
                return (altering, reading)
            }
            try await tasks.0.value
            #expect(try await tasks.1.value == "1")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a backup in nobody's way says nothing, nor of what its account does not see`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withPets(server) { database in
            let account = try await database.createAccount(
                "reader", ["SELECT, SHOW VIEW, TRIGGER, EVENT ON {}.*"])
            let writer = try await database.connection()
            let notes = Notes()
            let source = try await MySQLSource(
                database.settings(as: account), for: notes.request())
            let snapshot = try await source.takeSnapshot(of: notes.request())
            let before = notes.all
            try await source.watch.look()
            let altering = Task { try await writer.execute("TRUNCATE pets") }
            try await database.untilWaiting(count: 1)
            // Long enough to be told of twice, if it were seen.
            for _ in 1...2 {
                try await source.watch.look()
                try await database.query("SELECT SLEEP(3)")
                try await source.watch.look()
            }
            #expect(notes.all == before)
            try await snapshot.leader.execute("ROLLBACK")
            try await altering.value
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a statement that waits ahead of the backup is named with what can be known`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withPets(server) { database in
            let (idle, writer) = (try await database.connection(), try await database.connection())
            try await idle.execute("START TRANSACTION")
            _ = try await idle.rows("SELECT COUNT(*) FROM pets")
            let (first, second) = (try await idle.process(), try await writer.process())
            let altering = Task { try await writer.execute("TRUNCATE   pets") }
            try await database.untilWaiting(count: 1)
            let notes = Notes()
            let error = await #expect(throws: BackupError.self) {
                try await MySQLEngine(database.settings())
                    .withSnapshot(of: notes.request(lockTimeout: .seconds(20))) { _ in }
            }
            #expect(error?.code == .locked)
            let words =
                "table \(database.name).pets is wanted before us by process \(second) of account root: TRUNCATE pets"
            let told = error?.underlying ?? ""
            #expect(told.hasPrefix(words), "\(String(describing: error))")
            #expect(notes.all.contains { $0.hasPrefix("waiting for ") && $0.contains(words) })
            if !server.isMariaDB {
                #expect(
                    told.contains(", which waits for process \(first) of account root, idle for"),
                    "\(told)")
                #expect(error?.hint?.contains("KILL \(first);") == true)
            }
            try await idle.execute("ROLLBACK")
            try await altering.value
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a server that keeps no list of locks shows who is in the way by statements`(
        server: MySQLTestServer
    ) async throws {
        guard !server.isMariaDB else { return }
        try await MySQLOwnServer.with(like: server, ["performance_schema=OFF"]) { own in
            try await Self.withPets(own.server) { database in
                let (idle, writer) = (
                    try await database.connection(), try await database.connection()
                )
                try await idle.execute("START TRANSACTION")
                _ = try await idle.rows("SELECT COUNT(*) FROM pets")
                let process = try await writer.process()
                let altering = Task { try await writer.execute("TRUNCATE pets") }
                try await database.untilWaiting(count: 1)
                let error = await #expect(throws: BackupError.self) {
                    try await MySQLEngine(database.settings())
                        .withSnapshot(of: Notes().request(lockTimeout: .seconds(8))) { _ in }
                }
                #expect(error?.code == .locked)
                let words =
                    "table \(database.name).pets is wanted before us by process \(process) of account root: TRUNCATE pets"
                #expect(error?.underlying == words, "\(String(describing: error))")
                try await idle.execute("ROLLBACK")
                try await altering.value
            }
        }
    }

    /// The end of a backup waits for the watch, and no keepalive tells that the server is gone while a statement is on its way.
    @Test(arguments: MySQLTestServer.all)
    func `a server that says nothing is not watched for ever`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLOwnServer.with(like: server) { own in
            try await Self.withPets(own.server) { database in
                let source = try await MySQLSource(database.settings(), for: Notes().request())
                try await source.watch.look()
                try own.pause()
                // Whoever waits for ever gets an answer at last, and fails by that.
                let rescue = Task {
                    try await Task.sleep(for: .seconds(240))
                    try own.resume()
                }
                await #expect(throws: MySQLError.self) { try await source.watch.look() }
                // One that is cut off looks no more.
                await source.watch.run()
                rescue.cancel()
                try own.resume()
            }
        }
    }

    /// MariaDB tells nobody who holds a table: then nobody is named.
    @Test(arguments: MySQLTestServer.all)
    func `a session that keeps a table locked is named where the server tells`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withPets(server) { database in
            let idle = try await database.connection()
            try await idle.execute("LOCK TABLES pets WRITE")
            let process = try await idle.process()
            let error = await #expect(throws: BackupError.self) {
                try await MySQLEngine(database.settings())
                    .withSnapshot(of: Notes().request(lockTimeout: .seconds(20))) { _ in }
            }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("holds a lock on table \(database.name).pets") == true)
            let told = error?.underlying ?? ""
            let isNamed = told.contains(
                "pets is locked by process \(process) of account root, idle")
            #expect(isNamed == !server.isMariaDB, "\(String(describing: error))")
        }
    }
}

extension MySQLTestDatabase {
    /// Waits until so many sessions wait for locks on tables of this database.
    func untilWaiting(count: Int) async throws {
        try await eventually("\(count) sessions of \(name) wait for a lock") {
            try await server.query(
                """
                SELECT COUNT(*) FROM information_schema.PROCESSLIST
                WHERE DB = '\(name)' AND STATE = 'Waiting for table metadata lock'
                """) == "\(count)"
        }
    }
}
