import Foundation

/// Programs that do the same work.
struct Contest {
    /// One of them: what it runs, and what must be gone before.
    struct Contestant {
        let name: String
        let programs: [MeasuredProgram]
        var staleFolder: String?
        var staleDatabase: String?
    }

    let name: String
    /// dbtool first, what it is compared with after it; nothing after it where nothing compares.
    let contestants: [Contestant]

    /// Runs everybody once, in turns: who is first in one round is last in the next.
    ///
    /// - Returns: What each took, in the order of `contestants`.
    func run(round: Int, on server: Server) throws -> [Measurement] {
        var measurements = contestants.map { _ in Measurement() }
        let order = Array(contestants.indices)
        for index in round.isMultiple(of: 2) ? order : order.reversed() {
            measurements[index] = try Self.measure(contestants[index], on: server)
        }
        return measurements
    }

    private static func measure(
        _ contestant: Contestant, on server: Server
    ) throws -> Measurement {
        if let folder = contestant.staleFolder, FileManager.default.fileExists(atPath: folder) {
            try FileManager.default.removeItem(atPath: folder)
        }
        if let database = contestant.staleDatabase {
            try server.psql("DROP DATABASE IF EXISTS \(database)")
        }
        try server.settle()
        return try contestant.programs.reduce(Measurement()) { sum, program in
            sum + (try program.run(log: "\(server.scratch)/program.log"))
        }
    }
}

extension Contest {
    /// In an order in which each finds what it needs: the backups come before their restore.
    static func all(_ options: Options, server: Server) -> [Contest] {
        let source = server.url(of: options.database)
        func folder(_ name: String) -> String { "\(server.scratch)/\(name)" }
        func dbtool(_ words: [String], _ repository: String, url: String) -> MeasuredProgram {
            let common = ["--path", folder(repository), "--url", url, "--config", "manual"]
            return MeasuredProgram(options.dbtool, words + common + ["--jobs", "2"])
        }
        func backup(_ repository: String, _ words: [String] = []) -> Contestant {
            let command = ["full", "database"] + words
            return Contestant(
                name: "dbtool \(command.joined(separator: " "))",
                programs: [dbtool(command, repository, url: source)],
                staleFolder: folder(repository))
        }
        func dump(_ name: String, _ words: [String] = []) -> Contestant {
            let command = ["-Fd", "-j2"] + words
            return Contestant(
                name: "pg_dump \(command.joined(separator: " "))",
                programs: [server.program("pg_dump", command + ["-f", folder(name), source])],
                staleFolder: folder(name))
        }
        let restore = dbtool(
            ["restore", "latest", "--into", "ours", "--create"], "plain", url: server.url)
        let createdb = ["--template=template0", "--maintenance-db=\(server.url)", "theirs"]
        let pgRestore = ["-j2", "-d", server.url(of: "theirs"), folder("dump")]
        return [
            Contest(name: "backup", contestants: [backup("plain"), dump("dump", ["-Z0"])]),
            Contest(
                name: "packed backup",
                contestants: [backup("packed", ["-compress", "zstd"]), dump("packed-dump")]),
            Contest(
                name: "restore",
                contestants: [
                    Contestant(
                        name: "dbtool restore --create", programs: [restore], staleDatabase: "ours"),
                    Contestant(
                        name: "createdb, pg_restore -j2",
                        programs: [
                            server.program("createdb", createdb),
                            server.program("pg_restore", pgRestore),
                        ], staleDatabase: "theirs"),
                ]),
            Contest(
                name: "verify",
                contestants: [
                    Contestant(
                        name: "dbtool verify",
                        programs: [dbtool(["verify", "latest"], "plain", url: source)])
                ]),
        ]
    }
}
