import BackupCore
import BackupTesting
import Foundation
import PostgresEngine
import Synchronization
import Testing

/// What other sessions do between a snapshot and its rows: the rows of the snapshot, or an error,
/// and never fewer rows, never wrong ones, never a deadlock.
@Suite struct PausedReaderTests {
    /// Things that PostgreSQL would let a reader see from after its snapshot, or not at all.
    static let changes = [
        "TRUNCATE watched", "ALTER TABLE watched ADD COLUMN more text DEFAULT 'x'",
        "ALTER TABLE watched ALTER COLUMN n TYPE text USING 'changed'", "DROP TABLE watched",
        "ALTER TABLE watched DROP COLUMN mood", "CLUSTER watched USING watched_pkey",
        """
        BEGIN; ALTER TABLE watched RENAME TO aside; ALTER TABLE other RENAME TO watched; COMMIT
        """,
        "ALTER TABLE watched SET SCHEMA away", "ALTER TABLE watched SET LOGGED",
        "ALTER TABLE watched ENABLE ROW LEVEL SECURITY", "DROP SCHEMA public CASCADE",
    ]

    @Test(arguments: TestServer.all, changes)
    func `a change waits until the rows have been read`(
        server: TestServer, change: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                let refused = try await database.attempt("SET lock_timeout = '300ms'; \(change)")
                #expect(refused.errors.contains("lock timeout"), "\(refused)")
                // Now it waits for us, and everything that comes later waits behind it.
                let waited = try await database.query(change) { _ in
                    try await eventually("the change waits") {
                        try await database.waiting() != "0"
                    }
                    #expect(try await snapshot.rows(of: "watched") == Workbench.watchedRows)
                    #expect(try await snapshot.rows(of: "other") == "n\nother\n")
                    try await snapshot.confirm()
                    try await bench.letGo(database)
                }
                #expect(waited.code != 0, "it did not wait: \(waited)")
            }
            #expect(try await database.query("SELECT count(*) FROM watched") == "1000")
        }
    }

    @Test(arguments: TestServer.all)
    func `a queue of changes delays nobody but those who wait in it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            var request = SnapshotRequest.whole
            request.connections = 4
            let asked = request
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await bench.engine(database).withSnapshot(of: asked) { snapshot in
                    for change in ["TRUNCATE watched", "TRUNCATE other"] {
                        group.addTask { try await database.query(change) }
                    }
                    try await eventually("both wait") {
                        try await database.waiting() == "2"
                    }
                    for _ in 0..<3 {
                        #expect(try await snapshot.rows(of: "watched") == Workbench.watchedRows)
                    }
                    try await snapshot.confirm()
                }
                // The snapshot has ended, so now they go on.
                try await group.waitForAll()
            }
            #expect(try await database.query("SELECT count(*) FROM watched, other") == "0")
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that others change and delete are read as the snapshot saw them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                try await database.query(
                    """
                    UPDATE watched SET n = n + 1; DELETE FROM watched WHERE id % 2 = 0;
                    INSERT INTO watched SELECT i, i FROM generate_series(2000, 3000) i;
                    INSERT INTO other VALUES ('more'); CREATE TABLE late (id integer);
                    VACUUM watched;
                    """)
                #expect(try await snapshot.rows(of: "watched") == Workbench.watchedRows)
                #expect(try await snapshot.rows(of: "other") == "n\nother\n")
                #expect(!snapshot.schema.tables.contains { $0.name.name == "late" })
                try await snapshot.confirm()
            }
        }
    }

    /// The planner of a query takes locks on all indexes, and the server's places for locks are few.
    @Test(arguments: TestServer.all)
    func `queries leave no locks behind but the leader's on tables`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            try await database.query(
                "CREATE INDEX ON watched (n); CREATE INDEX ON watched (mood, id)")
            try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                let table = try #require(
                    snapshot.schema.tables.first { $0.name.name == "watched" })
                let part = try #require(snapshot.parts(of: table, keys: [["1"], ["2"]]).first)
                // Both connections read, again and again.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 1...20 {
                        group.addTask { try await snapshot.read(part) { _ in } }
                    }
                    try await group.waitForAll()
                }
                let locks = try await database.query(
                    """
                    SELECT c.relname, count(*) FROM pg_locks l
                    JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation
                    WHERE l.locktype = 'relation' AND a.datname = current_database()
                      AND a.application_name = 'dbtool' AND c.relnamespace = 'public'::regnamespace
                    GROUP BY 1 ORDER BY 1
                    """)
                #expect(locks == "other|1\nwatched|1")
                #expect(try await snapshot.rows(of: "watched") == Workbench.watchedRows)
                try await snapshot.confirm()
            }
        }
    }

    /// They take no lock on the tables whose rows they change.
    @Test(
        arguments: TestServer.all,
        [
            "ALTER TYPE mood RENAME VALUE 'fine' TO 'sad'",
            "ALTER TYPE mood RENAME TO temper", "ALTER TYPE pair RENAME ATTRIBUTE a TO z",
            "ALTER TYPE pair ADD ATTRIBUTE more text",
            "ALTER TYPE mood RENAME TO temper; GRANT USAGE ON TYPE temper TO pg_monitor",
        ])
    func `a type whose meaning changed is found when the snapshot is confirmed`(
        server: TestServer, change: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                    try await database.query(change)
                    _ = try await snapshot.rows(of: "watched")
                    try await snapshot.confirm()
                }
            }
            #expect(error?.code == .sourceChanged, "\(String(describing: error))")
            #expect(error?.message.contains("watched") == true)
        }
    }

    /// None of them takes a lock on a table, and afterwards every name and label is as it was.
    @Test(
        arguments: TestServer.all,
        [
            """
            ALTER TYPE mood RENAME VALUE 'fine' TO 'other'; ALTER TYPE mood RENAME VALUE 'other' TO 'fine'
            """,
            "ALTER SCHEMA public RENAME TO elsewhere; ALTER SCHEMA elsewhere RENAME TO public",
        ])
    func `what was changed and changed back is found when the snapshot is confirmed`(
        server: TestServer, change: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                    try await database.query(change)
                    _ = try await snapshot.rows(of: "watched")
                    try await snapshot.confirm()
                }
            }
            #expect(error?.code == .sourceChanged, "\(String(describing: error))")
        }
    }

    /// They write new versions into the catalogs, and no row means anything else.
    @Test(
        arguments: TestServer.all,
        [
            "GRANT USAGE ON SCHEMA public TO pg_monitor", "ALTER SCHEMA public OWNER TO pg_monitor",
            "GRANT USAGE ON TYPE mood, pair TO pg_monitor", "ALTER TYPE mood OWNER TO pg_monitor",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO pg_monitor",
            "ALTER FUNCTION own() OWNER TO pg_monitor",
            "ALTER OPERATOR ===(mood, mood) OWNER TO pg_monitor",
        ])
    func `who may use what, and whose it is, changes no backup`(
        server: TestServer, change: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            try await database.query(
                """
                CREATE FUNCTION own() RETURNS integer LANGUAGE sql AS 'SELECT 1';
                CREATE FUNCTION same(mood, mood) RETURNS boolean LANGUAGE sql AS 'SELECT true';
                CREATE OPERATOR === (leftarg = mood, rightarg = mood, function = same);
                CREATE TABLE named (f regproc, t regtype, n regnamespace, o regoperator);
                INSERT INTO named VALUES ('own', 'mood', 'public', '===(mood,mood)');
                """)
            try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                try await database.query(change)
                #expect(try await snapshot.rows(of: "watched") == Workbench.watchedRows)
                try await snapshot.confirm()
            }
        }
    }

    /// Rows hold names of tables, functions, types and schemas.
    @Test(arguments: TestServer.all)
    func `what is made meanwhile is in no name, and what gets another name is found`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            try await database.query(
                """
                CREATE VIEW seen AS SELECT 1 AS one;
                CREATE TABLE named (c regclass, f regproc, t regtype, n regnamespace, o regoperator);
                INSERT INTO named VALUES ('seen', 'now', 'mood', 'public', '=(integer,integer)');
                """)
            try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                try await database.query(
                    """
                    CREATE TABLE late (id serial PRIMARY KEY); CREATE TABLE "late
                    too" (); CREATE INDEX ON late ((id + 1));
                    CREATE SEQUENCE late_numbers; CREATE SCHEMA late; CREATE TYPE late_mood AS ENUM ('x');
                    CREATE FUNCTION late() RETURNS integer LANGUAGE sql AS 'SELECT 1';
                    CREATE FUNCTION late(mood, mood) RETURNS boolean LANGUAGE sql AS 'SELECT true';
                    CREATE OPERATOR === (leftarg = mood, rightarg = mood, function = late);
                    """)
                _ = try await snapshot.rows(of: "named")
                try await snapshot.confirm()
            }
            let error = await #expect(throws: BackupError.self) {
                try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                    try await database.query("ALTER VIEW seen RENAME TO shown")
                    _ = try await snapshot.rows(of: "named")
                    try await snapshot.confirm()
                }
            }
            #expect(error?.code == .sourceChanged, "\(String(describing: error))")
        }
    }

    // MARK: Before the locks are held

    @Test(
        arguments: TestServer.all,
        [
            "TRUNCATE watched; INSERT INTO watched VALUES (1, 1)",
            "DROP TABLE watched; CREATE TABLE watched AS SELECT 1 AS id, 1 AS n",
            """
            ALTER TABLE watched RENAME TO aside;
            CREATE TABLE watched AS SELECT 1 AS id, 1 AS n; DROP TABLE aside
            """,
            "ALTER TABLE watched ADD COLUMN more integer DEFAULT 7",
        ])
    func `what changed while the snapshot waited for its locks is read as it became`(
        server: TestServer, change: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            let go = "\(bench.folder)/go"
            try await withThrowingTaskGroup(of: String.self) { group in
                let writer = try await database.query(
                    """
                    BEGIN; \(change);
                    SELECT set_config('application_name', 'changed', false);
                    \\! while [ ! -e '\(go)' ]; do sleep 0.02; done
                    COMMIT
                    """
                ) { _ in
                    try await eventually("the change is made and not committed") {
                        try await database.query(
                            """
                            SELECT count(*) FROM pg_stat_activity
                            WHERE application_name = 'changed' AND datname = current_database()
                            """) == "1"
                    }
                    group.addTask {
                        try await bench.engine(database).withSnapshot(of: .whole) { snapshot in
                            let rows = try await snapshot.rows(of: "watched")
                            try await snapshot.confirm()
                            return rows
                        }
                    }
                    try await eventually("the snapshot waits for its locks") {
                        try await database.waiting() != "0"
                    }
                    try bench.write("", to: "go")
                }
                #expect(writer.code == 0, "\(writer)")
                let rows = try #require(try await group.next())
                let now = try await database.query(
                    "SET timezone = 'UTC'; COPY watched TO STDOUT (FORMAT csv, HEADER)")
                #expect(rows.split(separator: "\n").dropFirst() == now.split(separator: "\n")[1...])
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a lock that cannot be had in time is an error that names its holder`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.watched()
            _ = try await database.query("BEGIN; LOCK TABLE other; SELECT pg_sleep(600)") {
                holder in
                try await eventually("the table is locked") {
                    try await database.query(
                        """
                        SELECT count(*) FROM pg_locks
                        WHERE mode = 'AccessExclusiveLock' AND granted
                          AND relation = 'other'::regclass
                        """) == "1"
                }
                var request = SnapshotRequest.whole
                request.lockTimeout = .milliseconds(200)
                let asked = request
                let error = await #expect(throws: BackupError.self) {
                    try await bench.engine(database).withSnapshot(of: asked) { _ in }
                }
                #expect(error?.code == .locked)
                #expect(error?.message.contains("public.other") == true)
                try holder.send(SIGINT)
            }
        }
    }
}

extension SnapshotRequest {
    /// The whole database, through two connections.
    fileprivate static var whole: SnapshotRequest {
        var request = SnapshotRequest(scope: .database)
        request.connections = 2
        return request
    }
}

extension Snapshot {
    /// A table's rows as CSV, with a line of its columns' names, ordered as they are stored.
    fileprivate func rows(of name: String) async throws -> String {
        let table = try #require(schema.tables.first { $0.name.name == name })
        let bytes = Mutex<[UInt8]>([])
        for part in parts(of: table) {
            try await read(part) { batch in bytes.withLock { $0 += batch.bytes } }
        }
        let header = table.storedColumns.map(\.name).joined(separator: ",")
        return header + "\n" + bytes.withLock { String(decoding: $0, as: UTF8.self) }
    }
}

extension Workbench {
    fileprivate static let watchedRows =
        "id,n,mood,pair\n" + (1...1000).map { "\($0),\($0 * 7),fine,\"(\($0),b)\"\n" }.joined()

    fileprivate func watched() async throws -> TestDatabase {
        let database = try await createDatabase("watched")
        try await database.query(
            """
            CREATE SCHEMA away;
            CREATE TYPE mood AS ENUM ('fine', 'bad'); CREATE TYPE pair AS (a integer, b text);
            CREATE UNLOGGED TABLE watched (id integer PRIMARY KEY, n integer,
                mood mood DEFAULT 'fine', pair pair);
            INSERT INTO watched SELECT i, i * 7, 'fine', ROW(i, 'b')::pair FROM generate_series(1, 1000) i;
            CREATE TABLE other (n text); INSERT INTO other VALUES ('other');
            """)
        return database
    }

    fileprivate func engine(_ database: TestDatabase) -> PostgresEngine {
        var settings = PostgresSettings()
        settings.url = Secret(database.url)
        settings.pgDump = "\(database.server.bin)/pg_dump"
        return PostgresEngine(settings)
    }

    /// Ends the sessions that wait for a lock.
    fileprivate func letGo(_ database: TestDatabase) async throws {
        try await database.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_locks
            WHERE NOT granted AND pid <> pg_backend_pid()
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """)
    }
}

extension TestDatabase {
    /// How many locks of this database somebody waits for.
    fileprivate func waiting() async throws -> String {
        try await query(
            """
            SELECT count(*) FROM pg_locks WHERE NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """)
    }
}
