import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

@Suite struct MySQLRestoreMarkTests {
    /// Otherwise what an older version has begun could not be gone on with.
    @Test func `the words of a mark are those of older versions`() throws {
        var request = TargetRequest(
            database: "shop", definition: SchemaDefinition(sql: [], dump: nil),
            sourceVersion: "", encoding: "UTF8", databaseProperties: [:])
        #expect(
            MySQLRestoreMark.words(request)
                == "everything create=false tables= as= existing= clean=false no-owner=false definer="
        )
        request.creates = true
        request.patterns = try [TablePattern("b c"), TablePattern("\"a\"")]
        request.newName = try TablePattern("d")
        request.existing = .append
        request.drops = true
        request.content = .structure
        (request.omitsPrivileges, request.omitsTablespaces) = (true, true)
        request.definer = "app@%"
        #expect(
            MySQLRestoreMark.words(request)
                == "structure create=true tables=\"a\" b c as=d existing=append clean=true no-owner=false "
                + "definer=app@%")
    }

    /// What is loaded is not loaded again: rows of the other table would be missing.
    @Test(arguments: MySQLTestServer.all)
    func `a loaded table is not taken for one whose name only looks the same`(
        server: MySQLTestServer
    ) async throws {
        let (loaded, other) = ("é", "e\u{301}")
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE dbtool_restore (what varchar(16), name varchar(200) COLLATE utf8mb4_bin, value text,
                  PRIMARY KEY (what, name)) ENGINE = InnoDB;
                INSERT INTO dbtool_restore VALUES ('backup', '', 'b'), ('request', '', 'r'),
                  ('table', '\(other)', 'create'), ('table', '\(loaded)', 'create'), ('loaded', '\(loaded)', '')
                """)
            let mark = try await MySQLRestoreMark.read(
                database.connection(), database: database.name)
            let tables = try #require(mark).tables
            #expect(tables[ExactText(loaded)]?.isLoaded == true)
            #expect(tables[ExactText(other)]?.isLoaded == false)
        }
    }

    /// It is loaded again, and may be interrupted when a part of its rows has been committed.
    @Test(arguments: MySQLTestServer.all)
    func `a table that was loaded and is lost is neither loaded nor begun any more`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            let request = TargetRequest(
                database: database.name, definition: SchemaDefinition(sql: [], dump: nil),
                sourceVersion: "", encoding: "UTF8", databaseProperties: [:])
            var plan = MySQLPlan()
            plan.chosen = [MySQLObject(kind: .table, name: "lost", statement: "")]
            let names = ["lost", "kept", "it's"].map { TableName(schema: "shop", name: $0) }
            for name in names {
                plan.target.tables[name] = .init(
                    .create, TableLoad(table: name, loadsThrough: nil, columns: ["id"]))
            }
            let connection = try await database.connection()
            var statements = MySQLRestoreMark.statements(request, plan)
            for name in names.map(\.name) {
                statements.append(MySQLRestoreMark.isBegun(name, in: database.name))
                statements.append(MySQLRestoreMark.isLoaded(name, in: database.name))
            }
            statements.append(MySQLRestoreMark.haveLost(["lost", "it's"], in: database.name))
            for statement in statements { try await connection.execute(statement) }
            let mark = try await MySQLRestoreMark.read(connection, database: database.name)
            let tables = try #require(mark).tables
            #expect(tables.count == 3)
            for (name, table) in tables {
                let isKept = name == ExactText("kept")
                #expect(table.isLoaded == isKept && table.isBegun == isKept, "\(name)")
            }
        }
    }

    /// Who may make views in the target is not who restores.
    @Test(arguments: MySQLTestServer.all)
    func `a view in the place of the mark calls nothing`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await plant(in: database)
            let connection = try await database.connection()
            let error = await #expect(throws: BackupError.self) {
                _ = try await MySQLRestoreMark.read(connection, database: database.name)
            }
            #expect(error?.code == .targetUnsuitable)
            #expect(try await database.query("SELECT COUNT(*) FROM ran") == "0")
        }
    }

    /// It may take the mark's place between a look at what it is and its reading.
    @Test(arguments: MySQLTestServer.all)
    func `a view refuses the index that the mark is read by before it calls anything`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await plant(in: database)
            let end = try await server.attempt(
                "SELECT what, name, value FROM dbtool_restore FORCE INDEX (PRIMARY)",
                database: database.name)
            #expect(end.code != 0 && end.errors.contains("1176"), "\(end)")
            #expect(try await database.query("SELECT COUNT(*) FROM ran") == "0")
        }
    }

    private func plant(in database: MySQLTestDatabase) async throws {
        try await database.load(
            """
            CREATE TABLE ran (id int) ENGINE = InnoDB;
            DELIMITER //
            CREATE FUNCTION evil() RETURNS varchar(20) DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER
            BEGIN INSERT INTO ran VALUES (1); RETURN 'backup'; END //
            DELIMITER ;
            CREATE SQL SECURITY INVOKER VIEW dbtool_restore AS SELECT evil() AS what, 'b' AS name, 'c' AS value;
            """)
    }
}
