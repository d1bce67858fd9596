import BackupTesting

/// The time of day that a server of a test's own tells, as if its machine's clock was set.
protocol ServerClock: Sendable {
    /// How many seconds it can be ahead.
    var furthest: Int { get }
    /// The type of columns that hold its times to the microsecond, whatever the time zone.
    var columnType: String { get }

    /// Sets it, in seconds from the real time, for every session that begins from now on.
    func set(_ offset: Int) async throws

    /// What an administrator's session begins with to have it at such an offset; empty where all have it.
    func beginning(at offset: Int) -> String

    /// A column's time in SQL, as seconds.
    func seconds(of column: String) -> String
}

extension ServerClock {
    /// Some seconds from now, or years; not an hour ahead, where it depends on the moment what `prune` takes for the future.
    func offset(_ random: inout SeededGenerator) -> Int {
        while true {
            let unit = [1, 60, 3600, 86_400, 31_557_600].randomElement(using: &random) ?? 1
            let offset = unit * Int.random(in: -40...40, using: &random)
            if offset <= furthest, !(3000...4200).contains(offset) { return offset }
        }
    }
}

extension CampaignShop {
    /// Opens one on a server whose clock can be set; dbtool has the real time.
    static func openWithClock(
        on product: Product,
        _ body: @escaping @Sendable (CampaignShop, any ServerClock) async throws -> Void
    ) async throws {
        switch product {
        case .postgres:
            try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
                bench in
                let clock = try await PostgresServerClock(in: bench)
                try await bench.withOwnServer(["fsync=off"], variables: clock.variables) { source in
                    try await body(CampaignShop(PostgresCampaignServer(bench, source)), clock)
                }
            }
        case .mariadb, .mysql:
            try await MySQLBench.withOwnServer(like: testServer(of: product)) { bench, own in
                // By a column of times nothing is found without the privilege PROCESS.
                let account = try await bench.source.createAccount(
                    "timed", own.server.ownerPrivileges + ["PROCESS ON *.*"])
                let shop = try await CampaignShop(MySQLCampaignServer(bench, as: account))
                try await body(shop, MySQLServerClock(server: own.server))
            }
        }
    }
}
