import BackupCore
import BackupTesting
import Foundation
import Synchronization
import Testing

@testable import PostgresEngine

/// Connections that are lost while they read: others go on in their place as long as the leader lives,
/// with the rows of its snapshot, each once.
@Suite struct LostReaderTests {
    @Test(arguments: TestServer.all, [2, 4])
    func `rows that lost readers had begun come once, and as the snapshot saw them`(
        server: TestServer, connections: Int
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            try await bench.engine(database).withSnapshot(of: notes.request(connections)) {
                snapshot in
                let part = try snapshot.wide
                let undisturbed = try await snapshot.bytes(of: part)
                try await database.query("UPDATE wide SET id = -id; VACUUM wide")
                // All of them, the leader's rows too, wait for this behind their first batch.
                let ending = Task {
                    try await eventually("all read") {
                        try await database.readers() == "\(connections - 1)"
                    }
                    try await database.endReaders()
                }
                try await withThrowingTaskGroup(of: Data.self) { group in
                    for _ in 1...connections {
                        group.addTask {
                            try await snapshot.bytes(of: part) { _ in try await ending.value }
                        }
                    }
                    for try await bytes in group {
                        let isSame = bytes == undisturbed
                        #expect(isSame, "\(bytes.count) and \(undisturbed.count) bytes")
                    }
                }
                try await snapshot.confirm()
            }
            #expect(notes.losses.count == connections - 1, "\(notes.losses)")
            #expect(
                notes.losses.allSatisfy {
                    $0.hasPrefix("a connection was lost and replaced while reading public.wide: ")
                })
        }
    }

    @Test(arguments: TestServer.all)
    func `a reader that was lost while it had nothing to do is replaced too`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            try await bench.engine(database).withSnapshot(of: notes.request(2)) { snapshot in
                let part = try snapshot.wide
                let undisturbed = try await snapshot.bytes(of: part)
                try await database.endReaders(state: "idle in transaction")
                let isSame = try await snapshot.bytes(of: part) == undisturbed
                #expect(isSame)
                try await snapshot.confirm()
            }
            #expect(notes.losses.count == 1, "\(notes.losses)")
        }
    }

    @Test(arguments: TestServer.all)
    func `where another lock cannot be had the leader goes on`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            let waiting = Mutex<Task<Void, any Error>?>(nil)
            try await bench.engine(database).withSnapshot(of: notes.request(2)) { snapshot in
                let part = try snapshot.wide
                let undisturbed = try await snapshot.bytes(of: part)
                let bytes = try await snapshot.bytes(of: part) { number in
                    guard number == 1 else { return }
                    let truncating = Task { _ = try await database.query("TRUNCATE wide") }
                    waiting.withLock { $0 = truncating }
                    try await eventually("the statement waits") {
                        try await database.query(
                            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = "
                                + "(SELECT oid FROM pg_database WHERE datname = current_database())"
                        ) == "1"
                    }
                    try await database.endReaders()
                }
                let isSame = bytes == undisturbed
                #expect(isSame)
                try await snapshot.confirm()
            }
            // It goes on once the snapshot has ended.
            _ = try await waiting.withLock { $0 }?.value
            #expect(notes.losses.count == 1, "\(notes.losses)")
            #expect(try await database.query("SELECT count(*) FROM wide") == "0")
        }
    }

    @Test(arguments: TestServer.all, [1, 2])
    func `without the leader nobody goes on`(server: TestServer, connections: Int) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: notes.request(connections)) {
                    snapshot in
                    let leader = try #require(snapshot as? PostgresSnapshot).leader
                    let process = try await leader.process()
                    _ = try await snapshot.bytes(of: try snapshot.wide) { number in
                        guard number == 1 else { return }
                        try await database.query("SELECT pg_terminate_backend(\(process))")
                        try await eventually("the leader is gone") {
                            try await database.query(
                                "SELECT count(*) FROM pg_stat_activity WHERE pid = \(process)")
                                == "0"
                        }
                        try await database.endReaders()
                    }
                }
            }
            #expect(error?.code == .connectionFailed, "\(String(describing: error))")
            #expect(error?.message.hasPrefix("cannot read public.wide: ") == true)
            #expect(notes.losses == [])
        }
    }

    @Test(arguments: TestServer.all)
    func `a part whose readers are ended again and again is an error`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: notes.request(2)) { snapshot in
                    _ = try await snapshot.bytes(of: try snapshot.wide) { _ in
                        try await database.endReaders()
                    }
                }
            }
            #expect(error?.code == .connectionFailed, "\(String(describing: error))")
            #expect(notes.losses.count == 2, "\(notes.losses)")
        }
    }

    @Test func `a run replaces five connections at most`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            let readings = Mutex(0)
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: notes.request(2)) { snapshot in
                    let part = try snapshot.wide
                    for _ in 1...10 {
                        _ = try await snapshot.bytes(of: part) { number in
                            if number == 1 { try await database.endReaders() }
                        }
                        readings.withLock { $0 += 1 }
                    }
                }
            }
            #expect(error?.code == .connectionFailed, "\(String(describing: error))")
            #expect(readings.withLock { $0 } == 5)
            #expect(notes.losses.count == 5, "\(notes.losses)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a second reading that gives other rows is an error, not a backup of both`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: notes.request(2)) { snapshot in
                    let part = TablePart(
                        table: try snapshot.wide.table,
                        selection: """
                            COPY (SELECT pg_catalog.random(), value FROM public.wide) TO STDOUT (FORMAT csv)
                            """)
                    _ = try await snapshot.bytes(of: part) { number in
                        if number == 1 { try await database.endReaders() }
                    }
                }
            }
            #expect(error?.code == .connectionFailed, "\(String(describing: error))")
            #expect(error?.message.contains("in another order") == true, "\(error?.message ?? "")")
            #expect(error?.hint == "Run the backup again.")
            #expect(notes.losses.count == 1, "\(notes.losses)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a statement that somebody cancels is not run again`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.wide()
            let notes = Notes()
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: notes.request(2)) { snapshot in
                    _ = try await snapshot.bytes(of: try snapshot.wide) { number in
                        if number == 1 { try await database.endReaders(by: "pg_cancel_backend") }
                    }
                }
            }
            #expect(error?.code == .serverRefused, "\(String(describing: error))")
            #expect(error?.message.contains("57014") == true)
            #expect(notes.losses == [])
        }
    }
}

/// What a snapshot remarked.
private final class Notes: Sendable {
    private let texts = Mutex<[String]>([])

    /// What it said of lost connections.
    var losses: [String] { texts.withLock { $0.filter { $0.contains("was lost") } } }

    /// The whole database, through some connections.
    func request(_ connections: Int) -> SnapshotRequest {
        var request = SnapshotRequest(scope: .database)
        request.connections = connections
        request.notes = { [self] note in texts.withLock { $0.append(note) } }
        return request
    }
}

extension Snapshot {
    /// The one part of the table.
    fileprivate var wide: TablePart {
        get throws {
            let table = try #require(schema.tables.first { $0.name.name == "wide" })
            let parts = parts(of: table)
            try #require(parts.count == 1)
            return parts[0]
        }
    }

    /// The rows of a part; `each` runs behind each batch, with its number.
    fileprivate func bytes(
        of part: TablePart, _ each: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) async throws -> Data {
        let bytes = Mutex(Data())
        let count = Mutex(0)
        try await read(part) { batch in
            bytes.withLock { $0.append(contentsOf: batch.bytes) }
            let number = count.withLock { count in
                count += 1
                return count
            }
            try await each(number)
        }
        return bytes.withLock { $0 }
    }
}

extension Workbench {
    /// A table whose 77 MB of rows the server stores packed: far more than is on its way at a time.
    fileprivate func wide() async throws -> TestDatabase {
        let database = try await createDatabase("wide")
        try await database.query(
            """
            CREATE TABLE wide (id integer, value text);
            INSERT INTO wide SELECT i, repeat(md5(i::text), 400) FROM generate_series(1, 6000) i;
            """)
        return database
    }

    fileprivate func engine(_ database: TestDatabase) -> PostgresEngine {
        var settings = PostgresSettings()
        settings.url = Secret(database.url)
        settings.pgDump = "\(database.server.bin)/pg_dump"
        return PostgresEngine(settings)
    }
}

extension TestDatabase {
    /// The leader has its locks: only the others take one for each part.
    private static func readers(_ state: String) -> String {
        """
        FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dbtool'
        AND state = '\(state)' AND query LIKE 'SAVEPOINT before_lock%COPY%'
        """
    }

    /// How many connections read, the leader aside.
    fileprivate func readers() async throws -> String {
        try await query("SELECT count(*) \(Self.readers("active"))")
    }

    /// Ends them.
    fileprivate func endReaders(
        by function: String = "pg_terminate_backend", state: String = "active"
    ) async throws {
        try await query("SELECT \(function)(pid) \(Self.readers(state))")
    }
}
