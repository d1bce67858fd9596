import BackupTesting
import Foundation
import Testing

/// A restore tells the truth about how far it has come, above all while indexes are built.
@Suite struct RestoreProgressTests {
    /// Rows over many blocks, and what takes a while to make and to compute from them.
    private static let slowSQL = """
        CREATE FUNCTION slowly(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          'BEGIN PERFORM pg_sleep(0.03); RETURN $1; END';
        CREATE TABLE big (id integer PRIMARY KEY, name text, filler text);
        INSERT INTO big SELECT i, 'name ' || i, repeat('x', 1500) FROM generate_series(1, 300) i;
        CREATE INDEX slow_one ON big (slowly(name));
        CREATE INDEX fast_one ON big (name);
        CREATE MATERIALIZED VIEW slow_view AS SELECT pg_sleep(5)::text FROM big WHERE id = 1;
        """

    private func slowBackup(_ bench: Workbench) async throws -> StoredBackup {
        let source = try await bench.createDatabase("source")
        try await source.query(Self.slowSQL)
        return try await bench.backUp(source)
    }

    /// What a terminal of 160 columns shows of a restore, each state of the line on its own.
    private func shown(
        _ bench: Workbench, _ words: [String], jobs: Int
    ) async throws -> [String] {
        let all =
            [try DBToolBinary.path(), "restore", "latest", "-path", bench.repository]
            + bench.connection() + ["--jobs", "\(jobs)"] + words
        let command = "stty cols 160; exec \(all.joined(separator: " "))"
        let end = try await bench.shell("TERM=xterm script -qec '\(command)' /dev/null")
        try end.requireCode(0)
        return end.output.split(separator: "\r\u{1B}[K").map(String.init)
    }

    @Test(arguments: TestServer.all, [1, 2])
    func `a terminal shows which index is built, and how much of it`(
        server: TestServer, jobs: Int
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            _ = try await slowBackup(bench)
            let copy = bench.expectDatabase()
            let lines = try await shown(bench, ["--into", copy.name, "--create"], jobs: jobs)
            let phase = "creating indexes and constraints"
            let reading = lines.compactMap { line in
                line.firstMatch(
                    of:
                        #/^creating indexes and constraints  (\d) of (\d) · reading rows (\d+) % · public.slow_one$/#
                )
            }
            let shares = try reading.map { try #require(Int($0.3)) }
            #expect(shares.count >= 2, "\(lines)")
            #expect(shares == shares.sorted(), "\(lines)")
            #expect(reading.allSatisfy { $0.2 == "3" && $0.1 != "3" }, "\(lines)")
            let view = "computing materialized views  0 of 1 · "
            #expect(
                lines.contains { $0.hasPrefix(view) && $0.hasSuffix(" · public.slow_view") },
                "\(lines)")
            let counts = lines.filter { $0.hasPrefix(phase) }.compactMap {
                $0.firstMatch(of: #/  (\d) of 3/#).flatMap { Int($0.1) }
            }
            #expect(counts == counts.sorted(), "\(lines)")
            #expect(try await copy.query("SELECT count(*) FROM big") == "300")
        }
    }

    @Test(arguments: TestServer.all)
    func `a table under another name is watched too`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            _ = try await slowBackup(bench)
            let copy = try await bench.restored()
            let words = ["--into", copy.name, "-tablename", "big", "--as", "other"]
            let lines = try await shown(bench, words, jobs: 1)
            #expect(
                lines.contains { $0.hasSuffix(" % · an index of public.other") }, "\(lines)")
        }
    }

    @Test(arguments: TestServer.all)
    func `foreign keys of tables that exist are named while they are checked`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            let source = try await bench.createDatabase("source")
            let numbers = 1...10
            let columns = numbers.map { "c\($0) integer CONSTRAINT key\($0) REFERENCES one" }
            try await source.query(
                """
                CREATE TABLE one (id integer PRIMARY KEY);
                INSERT INTO one VALUES (1);
                CREATE TABLE many (\(columns.joined(separator: ", ")));
                ALTER TABLE many DISABLE TRIGGER ALL;
                INSERT INTO many SELECT \(numbers.map { _ in "1" }.joined(separator: ", "))
                  FROM generate_series(1, 2000000);
                ALTER TABLE many ENABLE TRIGGER ALL;
                """)
            _ = try await bench.backUp(source)
            let words = [
                "--into", source.name, "-tablename", "many", "--existing", "truncate",
            ]
            let lines = try await shown(bench, words, jobs: 1)
            #expect(
                lines.contains { line in
                    line.contains(
                        #/^checking and committing existing tables  \d+ of 10 · checking rows.* · key\d+ of public.many$/#
                    )
                }, "\(lines)")
            #expect(try await source.query("SELECT count(*) FROM many") == "2000000")
        }
    }

    /// The watch took a connection that pg_restore needed.
    @Test(arguments: TestServer.all)
    func `a restore that can spare no connection goes on without the watch`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            _ = try await slowBackup(bench)
            // One for the restore's own connection, one for pg_restore.
            let role = try await bench.createRole("maker", "CREATEDB CONNECTION LIMIT 2")
            let copy = bench.expectDatabase()
            let words = ["--no-owner", "--no-privileges", "--jobs", "1"]
            let ours = "FROM pg_stat_activity WHERE usename = '\(role)'"
            let end = try await bench.restore(into: copy, words, as: role) { _ in
                try await eventually("the index is built, or the restore has failed") {
                    let query = "SELECT count(*) \(ours) AND application_name ~ 'pg_restore'"
                    return try await bench.administration.query(query) == "1"
                }
                // Longer than the watch waits between two looks.
                try await Task.sleep(for: .seconds(1))
                let watching = "SELECT count(*) \(ours) AND query ~ 'progress_create_index'"
                #expect(try await bench.administration.query(watching) == "0")
            }
            try end.requireCode(0)
            #expect(
                try await copy.query("SELECT count(*) FROM pg_indexes WHERE tablename = 'big'")
                    == "3")
        }
    }

    @Test(arguments: TestServer.all)
    func `a restore goes on when its watch is cut off`(server: TestServer) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            _ = try await slowBackup(bench)
            let copy = bench.expectDatabase()
            let end = try await bench.restore(into: copy) { _ in
                try await eventually("the watch is cut off") {
                    try await bench.administration.query(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = '\(copy.name)'
                          AND query LIKE '%pg_stat_progress_create_index%'
                        """
                    ).contains("t")
                }
            }
            try end.requireCode(0)
            #expect(
                try await copy.query("SELECT count(*) FROM pg_indexes WHERE tablename = 'big'")
                    == "3")
        }
    }

    @Test(arguments: TestServer.all)
    func `where it is no terminal a restore writes a line for each phase`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, mostlyWaits: true) { bench in
            _ = try await slowBackup(bench)
            let end = try await bench.restore(into: bench.expectDatabase())
            try end.requireCode(0)
            let lines = end.errors.split(separator: "\n")
            #expect(lines.contains("creating indexes and constraints …"), "\(end)")
            #expect(!lines.contains { $0.hasPrefix("creating indexes and constraints:") }, "\(end)")
        }
    }
}
