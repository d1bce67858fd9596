import BackupTesting
import Foundation
import Testing

/// A pg_restore that dies has named nothing of what it had yet to make.
@Suite struct RestoreDeathTests {
    /// Programs of PostgreSQL 17 and later fail at a setting of their own at servers before that, and go on. With
    /// that message alone a run that was killed looks like one that made everything.
    @Test(arguments: TestServer.all, PgRestoreDeath.allCases)
    func `a pg_restore that dies is no restore without keys`(
        server: TestServer, death: PgRestoreDeath
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let dying = try bench.pgRestore(afterRows: death.script)
            try await bench.restore(backup.id, into: target, ["--pg-dump", dying])
                .expect(code: 1, saying: death.words, "run the same restore again")
            try await bench.restore(backup.id, into: target, ["--check", "rows"]).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// Without the rows of a table it is expected that foreign keys of it cannot be made.
    @Test(arguments: TestServer.all)
    func `a pg_restore that names what it did not make and dies has not tried the rest`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source, ["--exclude-tablename", "pets"])
            let target = bench.expectDatabase()
            let dying = try bench.pgRestore(
                passing: 1,
                afterRows: """
                    echo 'pg_restore: from TOC entry 1; 1 1 FK CONSTRAINT public x shop' >&2
                    echo 'pg_restore: error: could not execute query: ERROR:  expected' >&2
                    kill -KILL $$
                    """)
            try await bench.restore(backup.id, into: target, ["--pg-dump", dying])
                .expect(code: 1, saying: "signal 9 ended pg_restore")
            _ = try await bench.restore(backup.id, into: target)
            let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
            #expect(try await target.query(keys) == "1")
        }
    }

    @Test(arguments: TestServer.all)
    func `comments of what a run has made that dies come with the one that goes on`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                """
                COMMENT ON INDEX people_pkey IS 'index'; CREATE INDEX by_name ON people (name);
                COMMENT ON INDEX by_name IS 'names'; COMMENT ON TABLE people IS 'people';
                """)
            let backup = try await bench.backUp(source)
            for passed in 1...2 {
                let target = bench.expectDatabase("target_\(passed)")
                let dying = try bench.pgRestore(
                    passing: passed, afterRows: PgRestoreDeath.killed.script)
                try await bench.restore(backup.id, into: target, ["--pg-dump", dying])
                    .expect(code: 1)
                try await bench.restore(backup.id, into: target).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    /// The run that goes on finds the structure made, but for that.
    @Test(arguments: TestServer.all)
    func `what needs tables that the backup lacks is named by whichever run comes to the end`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            let reader = try await bench.createRole("reader")
            try await source.query(
                """
                CREATE TABLE hidden (id int PRIMARY KEY); INSERT INTO hidden VALUES (1);
                CREATE TABLE nests (id int CONSTRAINT of_hidden REFERENCES hidden);
                INSERT INTO nests VALUES (1); COMMENT ON TABLE nests IS 'seen';
                CREATE VIEW seen AS SELECT * FROM hidden; GRANT SELECT ON nests TO \(reader);
                CREATE FUNCTION all_of_it() RETURNS SETOF hidden LANGUAGE sql AS 'TABLE hidden';
                """)
            let end = try await bench.full(source, ["--skip-unreadable"], as: reader)
            try end.requireCode(3)
            let backup = try StoredBackup(end)
            let (target, undisturbed) = (bench.expectDatabase(), bench.expectDatabase("whole"))
            let dying = try bench.pgRestore(afterRows: PgRestoreDeath.killed.script)
            try await bench.restore(backup.id, into: target, ["--pg-dump", dying]).expect(code: 1)
            for database in [target, undisturbed] {
                let restored = try await bench.restore(backup.id, into: database)
                try restored.requireCode(3)
                for words in ["VIEW seen", "FUNCTION all_of_it()", "FK CONSTRAINT nests of_hidden"]
                {
                    #expect(restored.output.contains("not made: \(words)"), "\(restored)")
                }
            }
            try await bench.expectEqual(undisturbed, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a pg_restore that complains only of its own setting has made everything`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let complaining = try bench.pgRestore(
                afterRows: """
                    \(PgRestoreDeath.complaint)
                    '\(server.bin)/pg_restore' "$@" || exit
                    echo 'pg_restore: warning: errors ignored on restore: 1' >&2
                    exit 1
                    """)
            try await bench.restore(backup.id, into: target, ["--pg-dump", complaining])
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }
}

/// How a pg_restore ends before it has made anything.
enum PgRestoreDeath: String, CaseIterable, CustomTestStringConvertible {
    case killed, withoutMemory

    var testDescription: String { rawValue }

    static let complaint = """
        echo 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "x"' >&2
        echo 'Command was: SET transaction_timeout = 0;' >&2
        """

    var script: String {
        switch self {
        case .killed: "\(Self.complaint)\nkill -KILL $$"
        case .withoutMemory: "\(Self.complaint)\necho 'out of memory' >&2; exit 1"
        }
    }

    /// What is said of it.
    var words: String {
        switch self {
        case .killed: "signal 9 ended pg_restore"
        case .withoutMemory: "pg_restore ended early: out of memory"
        }
    }
}

extension Workbench {
    /// A pg_dump with a pg_restore beside it that does something else after the rows, but for its first calls.
    func pgRestore(passing: Int = 0, afterRows script: String) throws -> String {
        let name = uniqueName("failing")
        let calls = "\(folder)/\(name)/calls"
        try write(
            """
            #!/bin/sh
            case "$*" in
            *--dbname*--section=post-data* | *--section=post-data*--dbname*)
                echo call >> '\(calls)'
                test "$(wc -l < '\(calls)')" -le \(passing) && exec '\(server.bin)/pg_restore' "$@"
                \(script) ;;
            esac
            exec '\(server.bin)/pg_restore' "$@"
            """, to: "\(name)/pg_restore", mode: 0o700)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/\(name)/pg_dump", withDestinationPath: "\(server.bin)/pg_dump")
        return "\(folder)/\(name)/pg_dump"
    }
}
