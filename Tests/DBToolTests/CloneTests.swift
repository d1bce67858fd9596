import BackupTesting
import Foundation
import Testing

/// Servers that look like the one of the backup before, and have another past.
@Suite struct CloneTests {
    private static let sample = """
        CREATE TABLE t (id integer PRIMARY KEY, v text);
        INSERT INTO t SELECT i, 'a' FROM generate_series(1, 3000) i
        """

    @Test(arguments: TestServer.all)
    func `a server that was promoted is compared, even if its restart is trusted`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer { own in
                try await own.query(Self.sample)
                _ = try await bench.backUp(own)
                try await bench.onOwnServer(
                    """
                    $pg_ctl -w stop && as_server touch "$data/standby.signal" && $pg_ctl -w start &&
                    $pg_ctl -w promote
                    """)
                try await own.query("UPDATE t SET v = 'b' WHERE id = 7; DELETE FROM t WHERE id = 8")
                try await bench.expectCompared(own, "on another timeline")
                // From here on its own past counts.
                try await own.query("UPDATE t SET v = 'c' WHERE id = 9")
                #expect(try await bench.incremental(own).change("t")?.basis == "xmin")
                try await bench.expectSameRows(own)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `an image that was put back is compared, before and after it has caught up`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer { own in
                try await own.query(Self.sample)
                try await bench.onOwnServer(
                    "$pg_ctl -w stop && cp -a \"$data\" \"$data.image\" && $pg_ctl -w start")
                try await own.query("UPDATE t SET v = 'gone' WHERE id % 3 = 0")
                _ = try await bench.backUp(own)
                try await bench.onOwnServer(
                    "$pg_ctl -w stop && rm -r \"$data\" && mv \"$data.image\" \"$data\" && $pg_ctl -w start"
                )
                try await own.query("UPDATE t SET v = 'b' WHERE id = 7; DELETE FROM t WHERE id = 8")
                try await bench.expectCompared(own, "behind the parent")
                for _ in 0..<30 {
                    try await own.query("UPDATE t SET v = v || 'x' WHERE id % 5 = 0")
                }
                #expect(try await bench.differential(own).change("t")?.basis == "compare")
                try await bench.expectSameRows(own)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a copy of the database that took its name is compared`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("template")
            try await source.query(Self.sample)
            let copy = try await bench.duplicate(source, "copy")
            try await source.query("UPDATE t SET v = 'of the first' WHERE id % 2 = 0")
            _ = try await bench.backUp(source)
            try await bench.administration.query("DROP DATABASE \(source.name)")
            try await bench.administration.query(
                "ALTER DATABASE \(copy.name) RENAME TO \(source.name)")
            let change = try await bench.differential(source).change("t")
            #expect(change?.basis == "compare" && change?.rows == 1500)
            try await bench.expectSameRows(source)
        }
    }
}

extension Workbench {
    /// Runs lines of shell that control the test's own server: `$pg_ctl`, `$data` and `as_server`.
    fileprivate func onOwnServer(_ lines: String) async throws {
        let data = "\(folder)/server/\(server.major)/data"
        let end = try await shell(
            """
            set -e
            as_server() { if [ "$(id -u)" = 0 ]; then
              setpriv --reuid postgres --regid postgres --init-groups "$@"; else "$@"; fi; }
            data='\(data)'
            pg_ctl() { as_server '\(server.bin)/pg_ctl' -D "$data" -s -l '\(folder)/server/run/log' "$@"; }
            cd /
            \(lines.replacingOccurrences(of: "$pg_ctl", with: "pg_ctl"))
            """)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
    }

    fileprivate func expectCompared(
        _ source: TestDatabase, _ words: String, location: SourceLocation = #_sourceLocation
    ) async throws {
        let change = try await differential(source, ["--trust-restart"]).change("t")
        #expect(change?.basis == "compare", sourceLocation: location)
        #expect(
            change?.reason.contains(words) == true, "\(String(describing: change))",
            sourceLocation: location)
        try await expectSameRows(source, location: location)
    }

    fileprivate func expectSameRows(
        _ source: TestDatabase, location: SourceLocation = #_sourceLocation
    ) async throws {
        let restored = try await restored(location: location)
        let rows = "SELECT * FROM t ORDER BY id"
        let (left, right) = (try await source.query(rows), try await restored.query(rows))
        #expect(left == right, sourceLocation: location)
    }
}
