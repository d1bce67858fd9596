import BackupTesting
import Foundation
import Testing

/// What fails around a run makes it fail with words, or not at all; never a wrong backup, and never a crash.
@Suite struct FaultCampaign {
    /// A call of the system, and how it may fail on a machine that is in trouble.
    private static let faults = [
        ("fsync", "EIO"), ("fdatasync", "EIO"), ("rename", "EIO"), ("rename", "ENOSPC"),
        ("mkdir", "EROFS"), ("mkdir", "ENOSPC"), ("unlink", "EROFS"), ("unlinkat", "EIO"),
        ("rmdir", "EIO"), ("openat", "EMFILE"), ("openat", "ENOSPC"), ("openat", "EIO"),
        ("pwrite64", "ENOSPC"), ("recvfrom", "ECONNRESET"),
        ("connect", "ETIMEDOUT"), ("getdents64", "EIO"),
    ]

    @Test(arguments: [
        CrashCampaign.Verb.full, .zipped, .differential, .merge, .prune, .pin, .verify,
    ])
    func `a call that fails, once or from then on, costs no backup`(
        verb: CrashCampaign.Verb
    ) async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            let shop = try await CampaignShop(bench, endingWithFull: verb == .prune)
            try shop.layOut()
            let calls = Set(Self.faults.map(\.0)).sorted()
            let steps = try await Strace.steps(of: calls, log: "\(bench.folder)/steps") {
                try await shop.run(verb.words, before: $0)
            }
            try await Attack("failing calls: \(verb)").run { _, random in
                try shop.layOut()
                guard let (call, error) = Self.faults.randomElement(using: &random),
                    // The first files that are opened are libraries: without them there is no dbtool.
                    let step = steps.filter({
                        $0.call == call && ($0.call != "openat" || $0.number > 60)
                    })
                    .randomElement(using: &random)
                else { return nil }
                let end = try await shop.run(
                    verb.words,
                    before: Strace.failing(step, with: error, forGood: Bool.random(using: &random)))
                guard !end.errors.contains("while loading shared libraries") else { return nil }
                var broken = Self.judge(end)
                broken += try await shop.broken(keeping: verb == .prune ? [shop.newest] : shop.ids)
                let again = try await shop.run(verb.words)
                if !verb.isDone(again) { broken.append("the next run: \(again)") }
                broken += try await shop.broken(keeping: [shop.newest])
                return broken.map { "\(error) at \(step): \($0)" }
            }
        }
    }

    /// An end with words, and an exit code that has a meaning.
    private static func judge(_ end: ProgramEnd) -> [String] {
        guard end.code != 0 else { return [] }
        guard [1, 3, 4, 5, 6].contains(end.code) else { return ["\(end)"] }
        return end.errors.contains("error:") || end.code == 3 || end.code == 4
            ? [] : ["no words: \(end)"]
    }

    @Test func `a disk that is full at any moment costs no backup`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            let shop = try await CampaignShop(bench)
            try await Attack("full disk").run { _, random in
                try shop.layOut()
                let verb = try #require(
                    [CrashCampaign.Verb.full, .zipped, .differential, .incremental, .merge]
                        .randomElement(using: &random))
                // What is there takes about 600 kB of pages.
                let size = Int.random(in: 500...1500, using: &random)
                let mounted = "\(bench.folder)/disk"
                try bench.write(
                    """
                    mkdir -p '\(mounted)' && mount -t tmpfs -o size=\(size)k none '\(mounted)' || exit 90
                    cp -r '\(bench.repository)/.' '\(mounted)' 2>/dev/null || exit 91
                    rm -rf '\(bench.repository)' && mkdir -m 700 '\(bench.repository)'
                    mount --bind '\(mounted)' '\(bench.repository)' || exit 90
                    "$@"; code=$?
                    umount '\(bench.repository)' && cp -r '\(mounted)/.' '\(bench.repository)'
                    exit $code
                    """, to: "full.sh", mode: 0o700)
                let unshared =
                    ["/usr/bin/unshare", "--mount", "--propagation", "unchanged"]
                    + (getuid() == 0 ? [] : ["--map-root-user"]) + [
                        "sh", "\(bench.folder)/full.sh",
                    ]
                let end = try await shop.run(verb.words, before: unshared)
                // Too small for what was there.
                guard end.code != 91 else { return nil }
                var broken = Self.judge(end)
                broken += try await shop.broken(keeping: shop.ids)
                let again = try await shop.run(verb.words)
                if !verb.isDone(again) { broken.append("the next run: \(again)") }
                if again.code == 0 { broken += try shop.remains() }
                return broken.map { "\(size) kB, \(verb): \($0)" }
            }
        }
    }

    @Test(arguments: [CrashCampaign.Verb.full, .differential])
    func `a connection that is cut costs no backup, one that falls silent can be left`(
        verb: CrashCampaign.Verb
    ) async throws {
        let server = TestServer.oldestAndNewest.newest
        try await Workbench.with(server, limit: .seconds(7200)) { bench in
            let shop = try await CampaignShop(bench)
            try await Attack("cut or silent connection: \(verb)").run { _, random in
                try shop.layOut()
                let isSilent = Bool.random(using: &random)
                let proxy = try FailingProxy(
                    to: try #require(UInt16(server.port)),
                    after: Int.random(in: 100...60_000, using: &random), isSilent: isSilent)
                defer { proxy.stop() }
                let flags = [
                    "--host", "127.0.0.1", "--port", "\(proxy.port)", "--user", server.superuser,
                ]
                let end = try await shop.run(verb.words, through: flags) { running in
                    guard isSilent else { return }
                    try await Task.sleep(for: .seconds(2))
                    // A person's patience: the second one need not wait for the server.
                    for _ in 0..<2 {
                        try? running.send(SIGINT)
                        try await Task.sleep(for: .milliseconds(500))
                    }
                }
                var broken = end.code == 130 && isSilent ? [] : Self.judge(end)
                broken += try await shop.broken(keeping: shop.ids)
                let again = try await shop.run(verb.words)
                if !verb.isDone(again) { broken.append("the next run: \(again)") }
                return broken.map { "\(proxy): \($0)" }
            }
        }
    }

    @Test func `a server that crashes in the middle costs no backup`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            try await bench.withOwnServer(["fsync=off"]) { source in
                let shop = try await CampaignShop(bench, in: source)
                try await Attack("crash of the server").run { _, random in
                    try shop.layOut()
                    let verb: CrashCampaign.Verb =
                        Bool.random(using: &random) ? .full : .incremental
                    let wait = Int.random(in: 0...600, using: &random)
                    let end = try await shop.run(verb.words) { _ in
                        try await Task.sleep(for: .milliseconds(wait))
                        // A server whose session dies that way ends all others, and recovers from its log.
                        let session = try? await source.query(
                            """
                            SELECT pid FROM pg_stat_activity
                            WHERE application_name IN ('dbtool', 'pg_dump') ORDER BY random() LIMIT 1
                            """)
                        if let number = session.flatMap({ Int32($0) }) { kill(number, SIGKILL) }
                    }
                    try await eventually("the server has recovered") {
                        (try? await source.query("SELECT 1")) == "1"
                    }
                    var broken = Self.judge(end)
                    broken += try await shop.broken(keeping: shop.ids)
                    let again = try await shop.run(verb.words)
                    if !verb.isDone(again) { broken.append("the next run: \(again)") }
                    return broken.map { "\(verb), after \(wait) ms: \($0)" }
                }
            }
        }
    }
}
