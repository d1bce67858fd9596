import Foundation

extension Contest {
    /// In an order in which each finds what it needs: the backups come before their restore.
    static func all(_ options: Options, server: Server) -> [Contest] {
        Contestants(options: options, server: server).contests
    }
}

/// Who does what, with which words.
///
/// Three databases: `bench` is like many, `narrow` has one table of keys alone, `small` a thousand
/// tables of fifty rows.
private struct Contestants {
    let options: Options
    let server: Server

    var contests: [Contest] {
        fulls + restores + files + changes + chains + starts
    }

    // MARK: Everything

    private var fulls: [Contest] {
        let packed = ["-compress", "zstd"]
        return [
            Contest(
                name: "full",
                contestants: [backup("plain", target: 1.0), dump("dump", ["-Z0"])] + rivets,
                absentees: options.rivet == nil
                    ? [.init(name: "rivet run", reason: "not on the PATH, nor named by RIVET")]
                    : []),
            Contest(
                name: "full, packed",
                contestants: [backup("packed", packed, target: 0.42), dump("packed-dump")]
                    + (dumpsZstd ? [dump("zstd-dump", Self.zstd, isReference: false)] : []),
                absentees: dumpsZstd
                    ? [] : [.init(name: "pg_dump -Zzstd:1", reason: "not in this one")]),
            Contest(
                name: "full, one connection",
                contestants: [backup("single", jobs: 1, target: 1.15), copy] + discards,
                absentees: discards.isEmpty
                    ? [.init(name: "discard.py", reason: "there is no python3")] : []),
            Contest(
                name: "full, 1,000 tables",
                contestants: [
                    backup("small", database: "small", target: 1.0),
                    dump("small-dump", ["-Z0"], database: "small"),
                ]),
            Contest(
                name: "full, keys alone",
                contestants: [
                    backup("narrow", database: "narrow"),
                    dump("narrow-dump", ["-Z0"], database: "narrow"),
                ]),
        ]
    }

    private var restores: [Contest] {
        [
            Contest(
                name: "restore",
                contestants: [
                    restore("latest", "plain", target: 1.0),
                    restore("latest", "plain", ["--check", "rows"], target: 1.35),
                    pgRestore("dump"),
                ]),
            Contest(
                name: "restore, keys alone",
                contestants: [restore("latest", "narrow"), pgRestore("narrow-dump")]),
        ]
    }

    private var files: [Contest] {
        [
            Contest(name: "verify", contestants: [verify(), verify("narrow")]),
            Contest(
                name: "drill", contestants: [verify(words: ["--drill", "--same-server"])]),
        ]
    }

    // MARK: Changes

    /// The rows of `events` whose number ends so are changed by each of ten points.
    private static func change(_ part: Int) -> String {
        """
        UPDATE events SET amount = coalesce(amount, 0) + 1, updated_at = now() WHERE id % 100 = \(part);
        DELETE FROM events WHERE id % 1000 = \(part * 10)
        """
    }

    /// One key of a thousand goes, one of a hundred is new.
    private static func changeKeys(_ part: Int) -> String {
        """
        DELETE FROM keys WHERE id % 1000 = \(part); INSERT INTO keys
        SELECT (SELECT least(min(id), 0) FROM keys) - i FROM generate_series(1,
        (SELECT reltuples::bigint / 100 FROM pg_class WHERE relname = 'keys')) i
        """
    }

    private var changes: [Contest] {
        let (wide, narrow) = (Pristine(folder("changed")), Pristine(folder("changed-keys")))
        let changed = "SELECT * FROM events WHERE id % 100 = 77"
        return [
            Contest(
                name: "differential of 1 %",
                contestants: [
                    differential("xmin", "changed", wide, target: 0.3),
                    differential("compare", "changed", wide, target: 1.1),
                    differential("column:updated_at", "changed", wide, target: 0.3),
                    backup("again", isReference: true),
                    Contest.Contestant(
                        name: "psql \\copy of the changed rows",
                        programs: [
                            server.program(
                                "psql",
                                [
                                    "-Xqc",
                                    "\\copy (\(changed)) TO '\(folder("rows"))/rows.csv' (FORMAT csv)",
                                    server.url(of: "bench"),
                                ])
                        ], written: .addition(Pristine(folder("rows")))),
                ],
                prepare: {
                    try FileManager.default.createDirectory(
                        atPath: folder("rows"), withIntermediateDirectories: true)
                    try run(dbtool(["full", "database"], "changed", database: "bench"))
                    try server.psql(Self.change(77), database: "bench")
                    wide.remember()
                }),
            Contest(
                name: "differential of 1 %, keys alone",
                contestants: [
                    differential("xmin", "changed-keys", narrow, database: "narrow"),
                    differential("compare", "changed-keys", narrow, database: "narrow"),
                    backup("again-keys", database: "narrow", isReference: true),
                ],
                prepare: {
                    try run(dbtool(["full", "database"], "changed-keys", database: "narrow"))
                    try server.psql(Self.changeKeys(1), database: "narrow")
                    narrow.remember()
                }),
        ]
    }

    // MARK: Chains

    private var chains: [Contest] {
        let (wide, narrow) = (Pristine(folder("chain")), Pristine(folder("chain-keys")))
        return [
            Contest(
                name: "chain of 10 points of 1 %",
                contestants: [
                    restore("latest", "chain", target: 1.15),
                    restore("full", "chain", isReference: true),
                    onChain(["verify", "latest"], "chain"),
                    onChain(["diff", "full", "latest"], "chain"),
                    onChain(["merge", "latest"], "chain", wide),
                ],
                prepare: {
                    try run(dbtool(["full", "database"], "chain", database: "bench"))
                    for part in 1...10 {
                        try server.psql(Self.change(part), database: "bench")
                        try run(dbtool(["incremental", "backup"], "chain", database: "bench"))
                    }
                    wide.remember()
                }),
            Contest(
                name: "chain of keys alone",
                contestants: [
                    restore("latest", "chain-keys"),
                    restore("full", "chain-keys", isReference: true),
                    onChain(["verify", "latest"], "chain-keys"),
                    onChain(["diff", "full", "latest"], "chain-keys"),
                    onChain(["merge", "latest"], "chain-keys", narrow),
                ],
                prepare: {
                    try run(dbtool(["full", "database"], "chain-keys", database: "narrow"))
                    try server.psql(Self.changeKeys(2), database: "narrow")
                    try run(dbtool(["incremental", "backup"], "chain-keys", database: "narrow"))
                    narrow.remember()
                }),
        ]
    }

    private var starts: [Contest] {
        [
            Contest(
                name: "start",
                contestants: [
                    Contest.Contestant(
                        name: "dbtool --version",
                        programs: [MeasuredProgram(options.dbtool, "--version")]),
                    Contest.Contestant(
                        name: "dbtool list of 1,000 points",
                        programs: [dbtool(["list"], "many")]),
                ],
                prepare: {
                    try run(dbtool(["full", "database"], "one", database: "bench"))
                    try ManyPoints(folder: folder("many"), of: folder("one")).make()
                })
        ]
    }

    // MARK: Words

    private func backup(
        _ repository: String, _ words: [String] = [], database: String = "bench", jobs: Int = 2,
        isReference: Bool = false, target: Double? = nil
    ) -> Contest.Contestant {
        let command = ["full", "database"] + words
        return Contest.Contestant(
            name: "dbtool \(command.joined(separator: " "))",
            programs: [dbtool(command, repository, database: database, jobs: jobs)],
            written: .folder(folder(repository)), isReference: isReference, target: target)
    }

    private func differential(
        _ basis: String, _ repository: String, _ pristine: Pristine, database: String = "bench",
        target: Double? = nil
    ) -> Contest.Contestant {
        let command = ["differential", "backup", "-basis", basis]
        return Contest.Contestant(
            name: "dbtool \(command.joined(separator: " "))",
            programs: [dbtool(command, repository, database: database)],
            written: .addition(pristine), target: target)
    }

    private func dump(
        _ name: String, _ words: [String] = [], database: String = "bench", isReference: Bool = true
    ) -> Contest.Contestant {
        let command = ["-Fd", "-j2"] + words
        return Contest.Contestant(
            name: "pg_dump \(command.joined(separator: " "))",
            programs: [
                server.program("pg_dump", command + ["-f", folder(name), server.url(of: database)])
            ],
            written: .folder(folder(name)), isReference: isReference)
    }

    private static let tables = [
        "events", "accounts", "order_lines", "products", "countries", "settings",
    ]

    /// The server reads, formats and sends every row, and the client throws them away.
    ///
    /// What remains to be gained on one connection. `run` has put the script into the scratch folder.
    private var discards: [Contest.Contestant] {
        let python = "/usr/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python),
            let port = URL(string: server.url)?.port
        else { return [] }
        return [
            Contest.Contestant(
                name: "COPY TO STDOUT, thrown away",
                programs: [
                    MeasuredProgram(
                        python, [folder("discard.py"), "\(port)", "bench"] + Self.tables)
                ])
        ]
    }

    /// The server reads and formats every row, and nobody takes them.
    private var copy: Contest.Contestant {
        let commands = Self.tables.flatMap { ["-c", "COPY \($0) TO '/dev/null' (FORMAT csv)"] }
        return Contest.Contestant(
            name: "the server's COPY TO '/dev/null'",
            programs: [server.program("psql", ["-Xq"] + commands + [server.url(of: "bench")])],
            isReference: true)
    }

    /// Older ones, and some builds, cannot pack with zstd.
    private var dumpsZstd: Bool {
        let words = ["--schema-only", "-Fd", "-f", folder("zstd-probe"), server.url(of: "bench")]
        try? Folder.remove(folder("zstd-probe"))
        // The words of a refusal do not matter: then it does not take part.
        return (try? run(server.program("pg_dump", Self.zstd + words))) != nil
    }

    private static let zstd = ["-Zzstd:1"]

    /// Their files name where they write; `run` has put them into the scratch folder.
    private var rivets: [Contest.Contestant] {
        guard let rivet = options.rivet else { return [] }
        return ["sequential", "parallel"].map { name in
            Contest.Contestant(
                name: "rivet run, \(name).yaml",
                programs: [MeasuredProgram(rivet, "run", "-c", folder("\(name).yaml"))],
                written: .folder(folder("rivet-files")))
        }
    }

    private func restore(
        _ point: String, _ repository: String, _ more: [String] = [], isReference: Bool = false,
        target: Double? = nil
    ) -> Contest.Contestant {
        let words = ["restore", point, "--into", "ours", "--create"] + more
        return Contest.Contestant(
            name: "dbtool \((["restore", point] + more).joined(separator: " "))",
            programs: [dbtool(words, repository)], staleDatabase: "ours", isReference: isReference,
            target: target)
    }

    private func pgRestore(_ dump: String) -> Contest.Contestant {
        let create = ["--template=template0", "--maintenance-db=\(server.url)", "theirs"]
        let restore = ["-j2", "-d", server.url(of: "theirs"), folder(dump)]
        return Contest.Contestant(
            name: "createdb, pg_restore -j2",
            programs: [
                server.program("createdb", create), server.program("pg_restore", restore),
            ], staleDatabase: "theirs", isReference: true)
    }

    private func verify(
        _ repository: String = "plain", words: [String] = []
    ) -> Contest.Contestant {
        let name = (["verify"] + words).joined(separator: " ")
        return Contest.Contestant(
            name: "dbtool \(name) (\(repository))",
            programs: [dbtool(["verify", "latest"] + words, repository)])
    }

    private func onChain(
        _ words: [String], _ repository: String, _ pristine: Pristine? = nil
    ) -> Contest.Contestant {
        Contest.Contestant(
            name: "dbtool \(words.joined(separator: " "))",
            programs: [dbtool(words, repository)], written: pristine.map { .addition($0) })
    }

    // MARK: Programs

    private func dbtool(
        _ words: [String], _ repository: String, database: String? = nil, jobs: Int = 2
    ) -> MeasuredProgram {
        let url = database.map { server.url(of: $0) } ?? server.url
        var common = ["--path", folder(repository), "--url", url, "--config", "manual"]
        if !["diff", "list"].contains(words[0]) { common += ["--jobs", "\(jobs)"] }
        return MeasuredProgram(options.dbtool, words + common)
    }

    private func run(_ program: MeasuredProgram) throws {
        _ = try program.run(log: "\(server.scratch)/prepare.log")
    }

    private func folder(_ name: String) -> String { "\(server.scratch)/\(name)" }
}

/// A repository of a thousand backups: copies of one, without its rows.
private struct ManyPoints {
    let folder: String
    /// A repository with one full.
    let source: String

    init(folder: String, of source: String) {
        (self.folder, self.source) = (folder, source)
    }

    func make() throws {
        try Folder.remove(folder)
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard
            let id = try manager.contentsOfDirectory(atPath: source).first(where: {
                $0.hasPrefix("full_")
            })
        else { throw Failure(description: "there is no backup in \(source)") }
        let metadata = try String(contentsOfFile: "\(source)/\(id)/metadata.json", encoding: .utf8)
        for number in 1...1000 {
            // The last four digits tell backups of one second apart.
            let copy = id.dropLast(4) + String(format: "%04x", number)
            try manager.createDirectory(
                atPath: "\(folder)/\(copy)", withIntermediateDirectories: true)
            try metadata.replacing(id, with: copy).write(
                toFile: "\(folder)/\(copy)/metadata.json", atomically: false, encoding: .utf8)
        }
    }
}
