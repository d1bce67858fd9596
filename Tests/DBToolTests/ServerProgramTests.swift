import BackupTesting
import Foundation
import Testing

/// What pg_dump and pg_restore are told, and what they are not.
@Suite struct ServerProgramTests {
    private static let secrets = [
        "DB_DRILL_URL": "postgresql://u:s3cr3t@nowhere.invalid/d", "MYSQL_PWD": "s3cr3t",
        "AWS_SECRET_ACCESS_KEY": "s3cr3t",
    ]

    @Test(arguments: TestServer.all)
    func `pg_dump and pg_restore get no secret but the password of their server`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let programs = try TellingPrograms(bench)
            let source = try await bench.small()
            try await bench.dbtool(
                ["full", "database", "-path", bench.repository, "--pg-dump", programs.dump]
                    + bench.connection() + ["--database", source.name],
                environment: Self.secrets.merging(["DB_PASSWORD": "its-password"]) { $1 }
            ).requireCode(0)
            let copy = bench.expectDatabase()
            try await bench.dbtool(
                [
                    "restore", "latest", "-path", bench.repository, "--into", copy.name,
                    "--create", "--pg-dump", programs.dump,
                ] + bench.connection(),
                environment: Self.secrets.merging(["DB_PASSWORD": "its-password"]) { $1 }
            ).requireCode(0)
            let (variables, words) = try programs.told()
            #expect(words.contains { $0.contains("pg_dump --version") })
            #expect(words.contains { $0.contains("pg_dump --schema-only") })
            #expect(words.contains { $0.contains("--section=pre-data") })
            let logins = words.filter { $0.contains("--dbname=") }
            #expect(logins.count > 1 && logins.allSatisfy { $0.contains("keepalives_idle='30'") })
            #expect(!variables.isEmpty && !variables.contains { $0.contains("s3cr3t") })
            #expect(!words.contains { $0.contains("its-password") || $0.contains("s3cr3t") })
            let passwords = variables.filter { $0.contains("its-password") }
            #expect(Set(passwords) == ["PGPASSWORD=its-password"])
        }
    }
}

/// A pg_dump and a pg_restore that write down their words and variables first.
private struct TellingPrograms {
    let dump: String
    private let folder: String

    init(_ bench: Workbench) throws {
        let name = bench.uniqueName("telling")
        folder = "\(bench.folder)/\(name)"
        dump = "\(folder)/pg_dump"
        for program in ["pg_dump", "pg_restore"] {
            try bench.write(
                """
                #!/bin/sh
                echo "\(program) $*" >>'\(folder)/words'
                env >>'\(folder)/variables'
                exec '\(bench.server.bin)/\(program)' "$@"
                """, to: "\(name)/\(program)", mode: 0o700)
        }
    }

    /// The lines that all of them have written.
    func told() throws -> (variables: [String], words: [String]) {
        func lines(_ name: String) throws -> [String] {
            try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                .split(separator: "\n").map(String.init)
        }
        return (try lines("variables"), try lines("words"))
    }
}
