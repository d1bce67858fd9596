import BackupTesting
import Testing

/// File handles that run out in the middle of a run cost that run at most, and are asked for with words.
///
/// What needs many: a comparison that goes to temporary files has 512 of them, and many connections that restore at once have
/// files each. With less than 128 dbtool does not begin at all.
@Suite struct HandleCampaign {
    /// What keeps a program at so many open files.
    private static func limit(_ handles: Int) -> [String] {
        ["/bin/sh", "-c", "ulimit -n \(handles); exec \"$@\"", "sh"]
    }

    /// Whether they ran out while the run was there.
    private static func ranOut(_ end: ProgramEnd) -> Bool {
        end.errors.contains("Too many open files")
    }

    @Test func `a backup whose comparison has no file handles left costs no other`() async throws {
        try await CampaignShop.open(on: .postgres, size: .small) { shop in
            // Keys and hashes of both sides, parted by 256, are more than each part's buffers take.
            try await shop.server.query(
                """
                CREATE TABLE many (id integer PRIMARY KEY, word text);
                INSERT INTO many SELECT i, 'word ' || i FROM generate_series(1, 250000) i
                """, in: shop.server.source)
            try await Attack("few file handles").run { number, random in
                try shop.layOut()
                try await shop.run(CampaignVerb.full.words).requireCode(0)
                let change = "UPDATE many SET word = word || '.' WHERE id % 1000 = \(number % 1000)"
                try await shop.server.query(change, in: shop.server.source)
                let verb: CampaignVerb =
                    Bool.random(using: &random) ? .differential : .incremental
                let jobs = Int.random(in: 1...4, using: &random)
                let handles = Int.random(in: 128...700, using: &random)
                let end = try await shop.run(
                    verb.words + ["--memory", "0", "--jobs", "\(jobs)"],
                    before: Self.limit(handles))
                // They were enough.
                guard Self.ranOut(end) else { return end.code == 0 ? nil : ["\(end)"] }
                var broken = end.faults
                broken += try await shop.unfinished()
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map { "\(handles) handles, \(verb) with \(jobs) jobs: \($0)" }
            }
        }
    }

    @Test func `a restore whose many connections have no file handles left goes on`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            // So many connections would keep others away.
            let settings = ["fsync=off", "max_connections=300"]
            try await bench.withOwnServer(settings) { source in
                let shop = try await CampaignShop(PostgresCampaignServer(bench, source))
                try await Self.addTables(to: shop)
                let restores = AttackedRestores(
                    of: shop, on: .postgres, comparing: Self.contentsOfTables)
                let tries = Attack.isLong ? Attack.tries : 1
                try await Attack("few file handles, restore").run(tries: tries) { _, random in
                    let jobs = Int.random(in: 40...60, using: &random)
                    let handles = Int.random(in: 128...190, using: &random)
                    return try await restores.attempt(.create) { _, words in
                        try await shop.run(
                            words + ["--jobs", "\(jobs)"], before: Self.limit(handles))
                    } isHit: {
                        // They were enough.
                        Self.ranOut($0) ? $0.faults.isEmpty : $0.code == 0 ? nil : false
                    }.map { $0.map { "\(handles) handles, \(jobs) jobs: \($0)" } }
                }
            }
        }
    }

    /// As many as connections.
    private static let numbers = 1...60

    private static let contentsOfTables =
        numbers.map {
            "SELECT \($0), md5(string_agg(o::text, ',' ORDER BY id)) FROM of_many_\($0) o"
        }.joined(separator: " UNION ALL ") + " ORDER BY 1"

    /// Each has files in each point of a chain.
    private static func addTables(to shop: CampaignShop) async throws {
        let making = numbers.map {
            "CREATE TABLE of_many_\($0) (id integer PRIMARY KEY, word text); "
                + "INSERT INTO of_many_\($0) SELECT i, 'word ' || i FROM generate_series(1, 500) i;"
        }
        let changing = numbers.map { "UPDATE of_many_\($0) SET word = word || '.' WHERE id < 9;" }
        try shop.layOut()
        try await shop.server.query(making.joined(separator: "\n"), in: shop.server.source)
        try await shop.run(CampaignVerb.full.words).requireCode(0)
        for verb in [CampaignVerb.differential, .incremental] {
            try await shop.server.query(changing.joined(separator: "\n"), in: shop.server.source)
            try await shop.run(verb.words).requireCode(0)
        }
    }
}
