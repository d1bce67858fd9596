import BackupTesting
import Foundation
import Testing

/// Runs of dbtool that are given a password, get into trouble, and are looked at for that password.
struct WatchedRuns {
    enum Verb: CaseIterable {
        case full, packed, zipped, differential, restore, drill, check, sql
    }

    /// Where the password is given.
    enum Way: CaseIterable {
        /// `DB_PASSWORD`, `PGPASSWORD`, `.env`, `~/.pgpass` or `~/.my.cnf`, and a URL.
        case variable, clientVariable, settingsFile, clientFile, url
    }

    enum Trouble: CaseIterable {
        case nothing, failingCall, wrongPassword, goneServer, cutConnection, killed, terminated
    }

    private let shop: CampaignShop
    private let isPostgres: Bool
    private let library: PreloadedLibrary

    /// Makes the account that needs a password, on a server that nobody else uses.
    init(of shop: CampaignShop, on product: CampaignShop.Product) async throws {
        (self.shop, isPostgres) = (shop, product == .postgres)
        library = try await PreloadedLibrary("fail-calls", for: shop)
        let account =
            isPostgres
            ? "CREATE ROLE \(user) LOGIN SUPERUSER"
            : "CREATE USER '\(user)'@'%'; GRANT ALL ON *.* TO '\(user)'@'%'"
        try await shop.server.query(account, in: shop.server.source)
    }

    /// The servers of tests trust everyone but this role.
    private var user: String { isPostgres ? "needs_password" : "watched" }
    private var folder: String { "\(shop.server.folder)/watched" }
    private var temporary: String { "\(folder)/temporary" }
    private var state: String { "\(folder)/state" }
    private var unpacked: String { "\(folder)/unpacked" }
    private var log: String { "\(shop.server.folder)/failed" }

    /// What a run and its password come to.
    private struct Run {
        let secret: CampaignSecret
        let way: Way
        let verb: Verb
        let trouble: Trouble
        let words: [String]
        let variables: [String: String]
    }

    // MARK: A try

    /// What does not hold of a run; nil for one that met no trouble, or that nobody could watch.
    func attempt(_ verb: Verb, _ random: inout SeededGenerator) async throws -> [String]? {
        let ways = Way.allCases.filter { isPostgres || $0 != .clientVariable }
        let way = try #require(ways.randomElement(using: &random))
        let trouble = try #require(Trouble.allCases.randomElement(using: &random))
        let odd =
            way == .clientFile && !isPostgres ? CampaignSecret.plain : CampaignSecret.anything
        let right = CampaignSecret(of: odd, &random)
        let secret = trouble == .wrongPassword ? CampaignSecret(of: odd, &random) : right
        try await shop.server.query(change(to: right), in: shop.server.source)
        try await layOut()
        let bytes = Int.random(in: 200...60_000, using: &random)
        let proxy =
            try trouble == .cutConnection
            ? FailingProxy(to: shop.server.port, after: bytes) : nil
        defer { proxy?.stop() }
        // Nobody listens at the first of all ports.
        let port = trouble == .goneServer ? 1 : proxy?.port ?? shop.server.port
        let target = shop.server.newName("watched")
        let login = try login(by: way, secret, at: port, for: verb)
        let path = verb == .sql ? [] : ["-path", shop.repository]
        let run = Run(
            secret: secret, way: way, verb: verb, trouble: trouble,
            words: verb.words(into: target) + path + login.words, variables: login.variables)
        let before = try trouble == .failingCall ? failing(&random) : []
        let wait = Int.random(in: 0...300, using: &random)
        let (end, seen) = try await watch(run, before: before, signalAfter: wait)
        try await shop.server.drop(target)
        let isMet = isMet(trouble, end, proxy)
        guard isMet, isSeen(run, seen) else { return nil }
        let broken = try await faults(of: run, end) + traces(of: run, end, seen)
        return broken.map { "\(verb) by \(way), \(trouble) (\(wait) ms, \(bytes) bytes): \($0)" }
    }

    /// Runs it under an open mask, and looks where its password shows meanwhile.
    private func watch(
        _ run: Run, before: [String], signalAfter wait: Int
    ) async throws -> (end: ProgramEnd, seen: Set<String>) {
        let words =
            ["--foreground", "-s", "ALRM", "-k", "10", "60", "/bin/sh", "-c"]
            + ["umask 000; exec \"$@\"", "sh"] + before + [try DBToolBinary.path()] + run.words
        let place = ["HOME": folder, "TMPDIR": temporary, "XDG_STATE_HOME": state]
        let environment = shop.server.environment.merging(place) { $1 }
            .merging(run.variables) { $1 }
        var ends: [ProgramEnd] = []
        let seen = try await SecretWatch.places(
            of: run.secret.forms, part: run.secret.head, inFilesOf: temporary
        ) {
            let end = try await Program.run(
                "/usr/bin/timeout", words, environment: environment, folder: folder
            ) { running in
                guard let signal = run.trouble.signal else { return }
                try await Task.sleep(for: .milliseconds(wait))
                try? running.inner.send(signal)
            }
            ends.append(end)
        }
        return (try #require(ends.first), seen)
    }

    /// A repository and folders that only their owner may use.
    private func layOut() async throws {
        try shop.layOut()
        // They are not there the first time.
        try? FileManager.default.removeItem(atPath: folder)
        for path in [folder, temporary, state] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
        try await Program.run(
            "/bin/chmod", ["-R", "u=rwX,go=", "--", shop.repository, folder],
            environment: shop.server.environment, folder: shop.server.folder
        ).requireCode(0)
    }

    private func change(to secret: CampaignSecret) -> String {
        let text = secret.text.replacing("'", with: "''")
        guard !isPostgres else { return "ALTER ROLE \(user) PASSWORD '\(text)'" }
        return "ALTER USER '\(user)'@'%' IDENTIFIED BY '\(text.replacing("\\", with: "\\\\"))'"
    }

    // MARK: How the password is given

    /// Gives it to a run: by words, by variables, or in a file, which is written.
    private func login(
        by way: Way, _ secret: CampaignSecret, at port: UInt16, for verb: Verb
    ) throws -> (words: [String], variables: [String: String]) {
        let isDrill = verb == .drill
        let server = (isPostgres ? [] : ["--db", "mysql"]) + ["--host", "127.0.0.1"]
        let named = isDrill ? [] : ["--database", shop.server.source]
        let words = server + ["--port", "\(port)", "--user", user] + named
        switch way {
        case .variable: return (words, ["DB_PASSWORD": secret.text])
        case .clientVariable: return (words, ["PGPASSWORD": secret.text])
        case .settingsFile: try write("DB_PASSWORD=\(secret.text)\n", to: ".env")
        case .clientFile where isPostgres:
            let field = secret.text.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            try write("*:*:*:\(user):\(field)\n", to: ".pgpass")
        case .clientFile: try write("[client]\npassword=\(secret.text)\n", to: ".my.cnf")
        case .url:
            // A drill on MySQL names no database.
            let database =
                isDrill && !isPostgres ? "" : CampaignSecret.percentEncoded(shop.server.source)
            let url =
                "\(isPostgres ? "postgresql" : "mysql")://\(user):\(secret.percentEncoded)"
                + "@127.0.0.1:\(port)/\(database)"
            return isDrill ? ([], ["DB_DRILL_URL": url]) : (["--url", url], [:])
        }
        return (words, [:])
    }

    private func write(_ text: String, to name: String) throws {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// Where a password shows because it was given there: to dbtool, and to those that begin it.
    private func given(to run: Run) -> Set<String> {
        let isInWords = run.way == .url && run.verb != .drill
        let names = isInWords ? ["words"] : Array(run.variables.keys)
        return Set(
            names.flatMap { name in
                ["dbtool", "timeout", "sh", "env"].map { "\(name) of \($0)" }
            })
    }

    /// Whether it was seen at least where it was given; what is in a file is in no list of processes.
    private func isSeen(_ run: Run, _ seen: Set<String>) -> Bool {
        let given = given(to: run)
        return given.isEmpty || !given.isDisjoint(with: seen)
    }

    // MARK: Trouble

    private static let faults = [
        Fault("write", "ENOSPC"), Fault("write", "EIO"), Fault("open", "EIO"),
        Fault("open", "EMFILE"), Fault("fsync", "EIO"), Fault("rename", "EIO"),
        Fault("read", "EIO"), Fault("mkdir", "EROFS"), Fault("connect", "ETIMEDOUT"),
        Fault("recvfrom", "ECONNRESET"),
    ]

    /// The words before a run of which a call fails.
    private func failing(_ random: inout SeededGenerator) throws -> [String] {
        // What the last try has left would be taken for a hit.
        try? FileManager.default.removeItem(atPath: log)
        let fault = try #require(Self.faults.randomElement(using: &random))
        let files = "\(shop.server.folder)/repository:\(temporary)/"
        return library.words([
            "FAIL_UNDER": fault.isOfConnection ? "socket" : files, "FAIL_LOG": log,
            "FAIL_CALL": fault.call, "FAIL_ERROR": fault.error,
            "FAIL_FIRST": "\(Int.random(in: 1...12, using: &random))",
        ])
    }

    /// Whether trouble came while the run was there.
    private func isMet(_ trouble: Trouble, _ end: ProgramEnd, _ proxy: FailingProxy?) -> Bool {
        switch trouble {
        case .nothing, .wrongPassword, .goneServer: return true
        case .cutConnection: return proxy?.hasFailed == true
        // One whose dbtool had not begun ends by the signal.
        case .terminated: return end.code != 0 && end.code != 128 + SIGTERM
        case .killed: return end.code == 128 + SIGKILL
        case .failingCall: return PreloadedLibrary.hasHit(by: log)
        }
    }

    private func faults(of run: Run, _ end: ProgramEnd) -> [String] {
        switch run.trouble {
        case .killed: []
        case .terminated: end.code == 130 ? [] : end.faults
        case .failingCall, .cutConnection: end.faults
        case .wrongPassword, .goneServer: end.code == 0 ? ["\(end)"] : end.faults
        // It may find something, but not that it cannot log in.
        case .nothing where run.verb == .check && end.code != 5: end.faults
        case .nothing: end.code == 0 ? [] : ["\(end)"]
        }
    }

    // MARK: What is left

    /// Where the password is and should not be, and what others may read.
    private func traces(
        of run: Run, _ end: ProgramEnd, _ seen: Set<String>
    ) async throws -> [String] {
        let needed: Set = ["PGPASSWORD of pg_dump", "PGPASSWORD of pg_restore"]
        let folders = [shop.repository, state, temporary]
        var broken = seen.subtracting(given(to: run)).subtracting(needed).sorted().map {
            "the password shows: \($0)"
        }
        if run.secret.isIn(end.outputBytes) || run.secret.isIn(Array(end.errors.utf8)) {
            broken.append("the password is said: \(end)")
        }
        broken += CampaignTraces.files(holding: run.secret, in: folders).map {
            "the password is in \($0)"
        }
        broken += try CampaignTraces.openPlaces(in: folders)
        broken += try await CampaignTraces.openPlaces(
            inArchivesOf: shop.repository, unpackedTo: unpacked, shop.server.environment)
        return broken
    }
}

extension WatchedRuns.Verb {
    fileprivate func words(into target: String) -> [String] {
        switch self {
        case .full: ["full", "database"]
        case .packed: ["full", "database", "-compress", "zstd"]
        case .zipped: ["full", "database", "-compress", "true"]
        case .differential: ["differential", "backup"]
        case .restore: ["restore", "latest", "--into", target, "--create"]
        case .drill: ["verify", "latest", "--drill", "--same-server"]
        case .check: ["check"]
        case .sql: ["sql", "SELECT 1"]
        }
    }
}

extension WatchedRuns.Trouble {
    fileprivate var signal: Int32? {
        switch self {
        case .killed: SIGKILL
        case .terminated: SIGTERM
        case .nothing, .failingCall, .wrongPassword, .goneServer, .cutConnection: nil
        }
    }
}
