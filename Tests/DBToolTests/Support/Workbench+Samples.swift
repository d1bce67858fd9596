import BackupTesting

extension Workbench {
    /// A shop with about 200,000 rows.
    func shop() async throws -> TestDatabase {
        let shop = try await createDatabase("shop")
        try await shop.load("\(DBToolBinary.package)/Scripts/sample/shop.sql")
        return shop
    }

    /// One of everything that PostgreSQL can hold.
    func torture() async throws -> TestDatabase {
        let torture = try await createDatabase("torture")
        let file = "\(DBToolBinary.package)/Tests/Fixtures/torture.sql"
        let end = try await run(
            "\(server.bin)/psql", ["-X", "-v", "ON_ERROR_STOP=1", "-f", file, torture.url])
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
        return torture
    }

    /// Two tables, a sequence and a few rows.
    func small(_ purpose: String = "small", owner: String? = nil) async throws -> TestDatabase {
        let small = try await createDatabase(purpose, owner: owner)
        try await small.query(Self.smallSQL, as: owner)
        return small
    }

    private static let smallSQL = """
        CREATE TABLE people (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
        CREATE TABLE pets (name text NOT NULL, owner integer REFERENCES people);
        INSERT INTO people (name) SELECT 'person ' || i FROM generate_series(1, 1000) i;
        INSERT INTO pets SELECT 'pet ' || i, i FROM generate_series(1, 500) i;
        """

    /// A database that is made in a moment and takes a while to read: 3 GB of rows that the server
    /// stores packed.
    func slow() async throws -> TestDatabase {
        let slow = try await createDatabase("slow")
        try await slow.query(
            """
            CREATE TABLE large (id integer, value text);
            CREATE TABLE little (id integer PRIMARY KEY);
            INSERT INTO little SELECT generate_series(1, 10);
            INSERT INTO large SELECT 0, repeat('a, "b" and c; ', 70000);
            INSERT INTO large SELECT i, value FROM large, generate_series(1, 3000) i;
            """)
        return slow
    }

    /// Waits until dbtool copies rows out of a database.
    func untilReading(_ database: TestDatabase) async throws {
        try await eventually("dbtool reads rows of \(database.name)") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity WHERE datname = '\(database.name)'
                AND application_name = 'dbtool' AND state = 'active' AND query ~ 'COPY .*STD(IN|OUT)'
                """) != "0"
        }
    }

    /// Waits until dbtool has no session in a database any more.
    ///
    /// A session that the server is refusing has no name yet.
    func untilGone(_ database: TestDatabase) async throws {
        try await eventually("dbtool's sessions in \(database.name) end") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity WHERE datname = '\(database.name)'
                AND backend_type = 'client backend'
                AND application_name ~ '^(dbtool|pg_dump|pg_restore|$)'
                """) == "0"
        }
    }
}
