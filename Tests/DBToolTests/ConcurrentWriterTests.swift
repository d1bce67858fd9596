import BackupTesting
import Foundation
import Testing

/// A backup taken while others write is one moment of all tables.
@Suite struct ConcurrentWriterTests {
    @Test(arguments: TestServer.all, ["1", "4"])
    func `transfers during the backup change no sum, and the log agrees with the balances`(
        server: TestServer, jobs: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let bank = try await bench.createDatabase("bank")
            // Large enough to be read in several ranges.
            try await bank.query(
                """
                CREATE TABLE accounts (id integer PRIMARY KEY, balance bigint NOT NULL,
                    filler text DEFAULT repeat('x', 250));
                CREATE TABLE transfers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    sender integer NOT NULL, receiver integer NOT NULL, amount bigint NOT NULL);
                INSERT INTO accounts (id, balance) SELECT i, 1000 FROM generate_series(1, 250000) i;
                """)
            try bench.write(
                """
                \\set a random(1, 250000)
                \\set b random(1, 250000)
                \\set amount random(1, 500)
                BEGIN;
                UPDATE accounts SET balance = balance - :amount WHERE id = least(:a, :b);
                UPDATE accounts SET balance = balance + :amount WHERE id = greatest(:a, :b);
                INSERT INTO transfers (sender, receiver, amount)
                VALUES (least(:a, :b), greatest(:a, :b), :amount);
                COMMIT;
                """, to: "transfer.sql")
            var backup: StoredBackup?
            let writers = try await Program.run(
                "\(server.bin)/pgbench",
                ["-n", "-c", "4", "-T", "600", "-f", "transfer.sql", bank.url],
                environment: bench.environment, folder: bench.folder
            ) { running in
                try await eventually("the writers write") {
                    try await bank.query("SELECT count(*) > 100 FROM transfers") == "t"
                }
                backup = try await bench.backUp(bank, ["--jobs", jobs])
                try running.send(SIGINT)
            }
            #expect(!writers.errors.contains("ERROR"), "\(writers)")
            let copy = try await bench.restored(try #require(backup).id)

            #expect(
                try await copy.query("SELECT count(*), sum(balance) FROM accounts")
                    == "250000|250000000")
            let written = try #require(Int(await copy.query("SELECT count(*) FROM transfers")))
            #expect(written > 100)
            let later = try #require(Int(await bank.query("SELECT count(*) FROM transfers")))
            #expect(later > written, "nobody wrote during the backup")
            let wrong = try await copy.query(
                """
                WITH moves(id, amount) AS (
                  SELECT sender, -amount FROM transfers
                  UNION ALL SELECT receiver, amount FROM transfers)
                SELECT count(*) FROM accounts
                LEFT JOIN (SELECT id, sum(amount) AS change FROM moves GROUP BY id) m USING (id)
                WHERE balance <> 1000 + coalesce(change, 0)
                """)
            #expect(wrong == "0")
            // The next number is new, although sequences obey no snapshot.
            #expect(
                try await copy.query(
                    """
                    SELECT nextval(pg_get_serial_sequence('transfers', 'id'))
                        > (SELECT max(id) FROM transfers)
                    """) == "t")
        }
    }

    /// The restore of such a backup failed when all rows were there.
    @Test(arguments: TestServer.all)
    func `a sequence that outgrows its limits during the backup makes it fail`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                "CREATE SEQUENCE s AS integer; SELECT setval('s', 2147483646); CREATE SEQUENCE other;"
            )
            let pause = try bench.pausingPgDump()
            let end = try await bench.full(source, ["--pg-dump", pause.program]) { _ in
                try await pause.untilReached()
                try await source.query(
                    """
                    ALTER SEQUENCE s AS bigint; SELECT nextval('s'), nextval('s'), nextval('other');
                    """)
                try pause.proceed()
            }
            end.expect(code: 1, saying: "sequence public.s", "Run the backup again")
            try bench.expectNothingStored()
            // Whoever only counts on is none of this.
            let backup = try await bench.backUp(source)
            let copy = try await bench.restored(backup.id)
            #expect(try await copy.query("SELECT nextval('s')") == "2147483649")
        }
    }

    /// The server tells pg_dump nothing of a function that is gone, and the archive would hold half a statement.
    @Test(arguments: TestServer.all)
    func `a definition that changes while pg_dump reads it is read again`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id integer); CREATE TABLE log (id integer);
                CREATE FUNCTION gone() RETURNS integer LANGUAGE sql AS 'SELECT 1';
                CREATE FUNCTION older() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
                """)
            let pause = try bench.pausingPgDump()
            let end = try await bench.full(source, ["--pg-dump", pause.program]) { _ in
                try await pause.untilReached()
                try await source.query(
                    """
                    DROP FUNCTION gone();
                    CREATE OR REPLACE FUNCTION older() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 2; END;
                    INSERT INTO log VALUES (2)
                    """)
                try pause.proceed()
            }
            try end.requireCode(0)
            // All of it is of the second moment.
            let copy = try await bench.restored()
            #expect(try await copy.query("SELECT older(), count(*) FROM log") == "2|1")
            #expect(try await copy.query("SELECT to_regproc('gone') IS NULL") == "t")
            try await bench.expectEqual(source, copy)
        }
    }
}
