import BackupTesting
import Foundation
import Testing

/// A server, or a way to it, that is gone in the middle of a run costs that run at most.
@Suite struct ServerCampaign {
    private static let runs: [(CampaignShop.Product, CampaignVerb)] =
        [
            (.postgres, .full), (.postgres, .zipped), (.postgres, .differential),
            (.postgres, .incremental), (.mariadb, .full),
        ] + (Attack.isLong ? [(.mariadb, .differential), (.mysql, .incremental)] : [])

    @Test(arguments: runs)
    func `a connection that is cut costs no backup, one that falls silent can be left`(
        product: CampaignShop.Product, verb: CampaignVerb
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try await Attack("cut or silent connection: \(product), \(verb)").run {
                number, random in
                try shop.layOut()
                let isSilent = Bool.random(using: &random)
                let proxy = try FailingProxy(
                    to: shop.server.port, after: Int.random(in: 100...60_000, using: &random),
                    by: isSilent ? .silent : .cut)
                defer { proxy.stop() }
                let end = try await shop.run(verb.words, port: proxy.port) { running in
                    if isSilent { try await running.loseItsPatience() }
                }
                // It had no more to say.
                guard proxy.hasFailed else { return nil }
                let faults = end.code == 130 && isSilent ? [] : end.faults
                return try await (faults + shop.aftermath(of: verb, inTry: number)).map {
                    "\(proxy): \($0)"
                }
            }
        }
    }

    /// What reads from the server.
    private static let reading: [CampaignVerb] = [.full, .zipped, .differential, .incremental]

    @Test func `a server that crashes in the middle costs no backup`() async throws {
        try await CampaignShop.openAlone(on: .postgres) { shop, own in
            let longest = max(400, try await shop.millisecondsOfFull())
            try await Attack("crash of the server, postgres").run { number, random in
                try shop.layOut()
                let verb = try #require(Self.reading.randomElement(using: &random))
                let isWhole = Bool.random(using: &random)
                let wait = Int.random(in: 0...longest, using: &random)
                var hasCrashed = false
                let end = try await shop.run(verb.words) { running in
                    try await Task.sleep(for: .milliseconds(wait))
                    if isWhole {
                        hasCrashed = running.runsAnother
                        try await own.crash()
                    } else {
                        hasCrashed = await Self.killSession(on: shop.server)
                    }
                }
                if isWhole { try await own.restart() }
                try await eventually("the server has recovered") {
                    (try? await shop.server.query("SELECT 1", in: shop.server.source)) == "1"
                }
                // It was done before, or had not begun.
                guard hasCrashed else { return nil }
                return try await (end.faults + shop.aftermath(of: verb, inTry: number)).map {
                    "\(verb), \(isWhole ? "all of it" : "a session") after \(wait) ms: \($0)"
                }
            }
        }
    }

    /// Kills a session of a backup from PostgreSQL; false where there is none.
    ///
    /// A server whose session dies that way ends all others, and recovers from its log.
    private static func killSession(on server: any CampaignServer) async -> Bool {
        let session = try? await server.query(
            """
            SELECT pid FROM pg_stat_activity
            WHERE application_name IN ('dbtool', 'pg_dump') ORDER BY random() LIMIT 1
            """, in: "postgres")
        guard let number = session.flatMap({ Int32($0) }) else { return false }
        return kill(number, SIGKILL) == 0
    }

    @Test(arguments: MySQLTestServer.all)
    func `a MySQL server that crashes in the middle costs no backup`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, own in
            let shop = try await CampaignShop(MySQLCampaignServer(bench))
            try await Attack("crash of the server, \(server.product)").run { number, random in
                try shop.layOut()
                let verb = try #require(Self.reading.randomElement(using: &random))
                let wait = Int.random(in: 0...300, using: &random)
                var wasRunning = false
                let end = try await shop.run(verb.words) { running in
                    try await Task.sleep(for: .milliseconds(wait))
                    wasRunning = running.runsAnother
                    try await own.crash()
                }
                try await own.restart()
                guard wasRunning else { return nil }
                return try await (end.faults + shop.aftermath(of: verb, inTry: number)).map {
                    "\(verb), after \(wait) ms: \($0)"
                }
            }
        }
    }

    @Test(arguments: [.postgres, .mariadb] + (Attack.isLong ? [CampaignShop.Product.mysql] : []))
    func `what an administrator cancels or ends costs no backup`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try await Attack("cancelled or ended session, \(product)").run { number, random in
                try shop.layOut()
                let verb = try #require(CampaignVerb.backups.randomElement(using: &random))
                let way = try #require(Disturbance.allCases.randomElement(using: &random))
                let wait = Int.random(in: 0...200, using: &random)
                let times = Int.random(in: 1...6, using: &random)
                var disturbed = 0
                let end = try await shop.run(verb.words) { _ in
                    try await Task.sleep(for: .milliseconds(wait))
                    // On a busy machine nobody has come to the source yet.
                    for _ in 0..<40 where disturbed < times {
                        if try await shop.server.disturb(way, in: shop.server.source) {
                            disturbed += 1
                        } else {
                            try await Task.sleep(for: .milliseconds(25))
                        }
                    }
                }
                // It was done before, or had not begun.
                guard disturbed > 0 else { return nil }
                return try await (end.faults + shop.aftermath(of: verb, inTry: number)).map {
                    "\(verb), \(way) \(disturbed) times after \(wait) ms: \($0)"
                }
            }
        }
    }

    /// Settings that a role may have, each of which a backup or a restore must not be ruled by.
    ///
    /// Time limits can be over before a session has lifted them, on a busy machine those of some hundred milliseconds too;
    /// `check` says so.
    private static let settings: [(name: String, values: [String])] = [
        ("statement_timeout", ["500ms", "2s"]), ("lock_timeout", ["1ms", "30ms"]),
        ("idle_in_transaction_session_timeout", ["1ms", "30ms"]),
        ("idle_session_timeout", ["500ms", "2s"]), ("transaction_timeout", ["500ms", "2s"]),
        ("default_transaction_isolation", ["serializable", "read uncommitted"]),
        ("default_transaction_deferrable", ["on"]), ("search_path", ["pg_temp", "nowhere"]),
        ("DateStyle", ["German", "SQL, DMY"]), ("IntervalStyle", ["iso_8601"]),
        ("extra_float_digits", ["-15"]), ("bytea_output", ["escape"]),
        ("standard_conforming_strings", ["off"]), ("client_encoding", ["LATIN1"]),
        ("quote_all_identifiers", ["on"]), ("work_mem", ["64kB"]), ("enable_seqscan", ["off"]),
        ("client_min_messages", ["debug5"]), ("row_security", ["off"]),
        ("timezone", ["Asia/Tokyo"]),
    ]

    @Test func `what a role is set to spoils nothing`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            let role = try await bench.createRole("hurried", "SUPERUSER")
            let shop = try await CampaignShop(PostgresCampaignServer(bench, as: role))
            try await Attack("settings of a role").run { number, random in
                try shop.layOut()
                let verb = try #require(CampaignVerb.backups.randomElement(using: &random))
                var told: [String] = ["ALTER ROLE \(role) RESET ALL"]
                for (name, values) in Self.settings.shuffled(using: &random).prefix(3) {
                    let value = values.randomElement(using: &random) ?? ""
                    told.append("ALTER ROLE \(role) SET \(name) = '\(value)'")
                }
                try await shop.server.query(told.joined(separator: "; "), in: shop.server.source)
                let end = try await shop.run(verb.words)
                var broken = verb.isDone(end) ? [] : ["\(end)"]
                broken += try await shop.aftermath(of: verb, inTry: number)
                // A merge tells of the point that it was made of.
                if verb != .merge { broken += try await shop.differences(ofPoint: "latest") }
                return broken.map { "\(verb), \(told): \($0)" }
            }
        }
    }
}
