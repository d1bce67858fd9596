extension Contest {
    /// In an order in which each finds what it needs: the backups come before their restore.
    static func all(_ options: Options, server: Server) -> [Contest] {
        Contestants(options: options, server: server).contests
    }
}

/// Who does what, with which words.
private struct Contestants {
    let options: Options
    let server: Server
    private let dumpsZstd: Bool

    init(options: Options, server: Server) {
        self.options = options
        self.server = server
        dumpsZstd = Self.dumpsZstd(server, source: server.url(of: options.database))
    }

    var contests: [Contest] {
        [
            Contest(
                name: "backup",
                contestants: [backup("plain"), dump("dump", ["-Z0"])] + rivets,
                absentees: absentees),
            Contest(
                name: "packed backup",
                contestants: [backup("packed", ["-compress", "zstd"]), dump("packed-dump")]
                    + (dumpsZstd ? [dump("zstd-dump", Self.zstd)] : []),
                absentees: dumpsZstd
                    ? [] : [Contest.Absentee(name: "pg_dump -Zzstd:1", reason: "not in this one")]),
            Contest(name: "restore", contestants: [restore, pgRestore]),
            Contest(name: "verify", contestants: [verify()]),
            Contest(name: "drill", contestants: [verify(["--drill", "--same-server"])]),
        ]
    }

    private func backup(_ repository: String, _ words: [String] = []) -> Contest.Contestant {
        let command = ["full", "database"] + words
        return Contest.Contestant(
            name: "dbtool \(command.joined(separator: " "))",
            programs: [dbtool(command, repository, url: source)],
            staleFolder: folder(repository))
    }

    private func dump(_ name: String, _ words: [String] = []) -> Contest.Contestant {
        let command = ["-Fd", "-j2"] + words
        return Contest.Contestant(
            name: "pg_dump \(command.joined(separator: " "))",
            programs: [server.program("pg_dump", command + ["-f", folder(name), source])],
            staleFolder: folder(name))
    }

    /// Older ones, and some builds, cannot pack with zstd.
    private static func dumpsZstd(_ server: Server, source: String) -> Bool {
        let probe = zstd + ["--schema-only", "-Fd", "-f", "\(server.scratch)/zstd-probe", source]
        // The words of a refusal do not matter: then it does not take part.
        return (try? server.program("pg_dump", probe).run(log: "\(server.scratch)/probe.log"))
            != nil
    }

    private static let zstd = ["-Zzstd:1"]

    /// Their files name where they write; `run` has put them into the scratch folder.
    private var rivets: [Contest.Contestant] {
        guard let rivet = options.rivet else { return [] }
        return ["sequential", "parallel"].map { name in
            Contest.Contestant(
                name: "rivet run, \(name).yaml",
                programs: [MeasuredProgram(rivet, "run", "-c", folder("\(name).yaml"))],
                staleFolder: folder("rivet-files"))
        }
    }

    private var absentees: [Contest.Absentee] {
        guard options.rivet == nil else { return [] }
        return [
            Contest.Absentee(
                name: "rivet run", reason: "not on the PATH; RIVET=/path/to/rivet names one")
        ]
    }

    private var restore: Contest.Contestant {
        let words = ["restore", "latest", "--into", "ours", "--create"]
        return Contest.Contestant(
            name: "dbtool restore --create",
            programs: [dbtool(words, "plain", url: server.url)], staleDatabase: "ours")
    }

    private var pgRestore: Contest.Contestant {
        let create = ["--template=template0", "--maintenance-db=\(server.url)", "theirs"]
        let restore = ["-j2", "-d", server.url(of: "theirs"), folder("dump")]
        return Contest.Contestant(
            name: "createdb, pg_restore -j2",
            programs: [
                server.program("createdb", create), server.program("pg_restore", restore),
            ], staleDatabase: "theirs")
    }

    private func verify(_ words: [String] = []) -> Contest.Contestant {
        let command = ["verify", "latest"] + words
        return Contest.Contestant(
            name: "dbtool \((["verify"] + words).joined(separator: " "))",
            programs: [dbtool(command, "plain", url: source)])
    }

    private func dbtool(_ words: [String], _ repository: String, url: String) -> MeasuredProgram {
        let common = ["--path", folder(repository), "--url", url, "--config", "manual"]
        return MeasuredProgram(options.dbtool, words + common + ["--jobs", "2"])
    }

    private func folder(_ name: String) -> String { "\(server.scratch)/\(name)" }

    private var source: String { server.url(of: options.database) }
}
