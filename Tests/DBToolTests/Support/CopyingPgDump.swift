import BackupTesting
import Foundation
import Testing

/// A pg_dump that first copies the whole database by itself, at the very snapshot of the backup.
///
/// What it copies is what the backup must restore to, whoever writes meanwhile.
struct CopyingPgDump {
    let program: String
    private let folder: String
    private let bin: String

    fileprivate init(_ bench: Workbench) throws {
        let name = bench.uniqueName("copy")
        folder = "\(bench.folder)/\(name)"
        bin = bench.server.bin
        program = "\(folder)/pg_dump"
        try bench.write(
            """
            #!/bin/bash
            case "$*" in
            --version) exec '\(bin)/pg_dump' --version ;;
            esac
            for word; do case "$word" in --snapshot=*) snapshot=$word ;; esac; done
            unset PGAPPNAME
            '\(bin)/pg_dump' --format=custom --compress=0 "$snapshot" --file='\(folder)/copy.dump' || exit 9
            exec '\(bin)/pg_dump' "$@"
            """, to: "\(name)/pg_dump", mode: 0o700)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/pg_restore", withDestinationPath: "\(bin)/pg_restore")
    }

    /// The copy that was made for the last backup, as a database.
    func database(_ bench: Workbench) async throws -> TestDatabase {
        let database = try await bench.createDatabase("copy")
        try await bench.run(
            "\(bin)/pg_restore",
            ["--exit-on-error", "--dbname", database.url, "\(folder)/copy.dump"]
        ).requireCode(0)
        return database
    }
}

extension Workbench {
    /// Makes a pg_dump that copies everything.
    func copyingPgDump() throws -> CopyingPgDump { try CopyingPgDump(self) }

    /// Runs `dbtool differential backup` or `incremental backup` with a report in JSON.
    func layer(
        _ kind: String, _ database: TestDatabase, _ words: [String] = [], as user: String? = nil
    ) async throws -> ProgramEnd {
        try await dbtool(
            [kind, "backup", "-path", repository, "--json"]
                + connection(to: database.server, as: user) + ["--database", database.name] + words)
    }

    /// Makes a differential that must succeed.
    func differential(
        _ database: TestDatabase, _ words: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) async throws -> StoredBackup {
        let end = try await layer("differential", database, words)
        try end.requireCode(0, location)
        return try StoredBackup(end)
    }

    /// Makes an incremental that must succeed.
    func incremental(
        _ database: TestDatabase, _ words: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) async throws -> StoredBackup {
        let end = try await layer("incremental", database, words)
        try end.requireCode(0, location)
        return try StoredBackup(end)
    }
}

/// What a differential did with one table.
struct TableChange: Equatable {
    var mode: String
    var basis: String?
    var rows = 0
    var tombstones = 0
    var reason = ""
}

extension StoredBackup {
    /// What a differential did with a table; nil when it does not mention it.
    func change(_ name: String) -> TableChange? {
        report["changes"].items.first { $0["name"].string == name }.map {
            TableChange(
                mode: $0["mode"].string ?? "", basis: $0["basis"].string,
                rows: $0["rows"].integer ?? 0, tombstones: $0["tombstones"].integer ?? 0,
                reason: $0["reason"].string ?? "")
        }
    }
}
