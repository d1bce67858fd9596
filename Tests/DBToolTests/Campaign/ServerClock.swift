import BackupTesting
import Foundation

/// The time of day that a PostgreSQL server of a test's own sees, as if its machine's clock was set.
///
/// Not for MySQL and MariaDB: they wait for locks until a time of day, which the system then takes by the real clock.
struct ServerClock {
    private let file: URL
    private let variables: [String: String]

    private init(in bench: Workbench) async throws {
        let library = try await PreloadedLibrary("set-clock", in: bench.folder, bench.environment)
        // The server has a user of its own, who must be able to read it.
        file = URL(
            fileURLWithPath: try bench.write("0", to: "server-clock", mode: 0o644))
        variables = ["LD_PRELOAD": library.path, "CLOCK_FILE": file.path]
    }

    /// Seconds from the real time, from now on.
    func set(_ offset: Int) throws {
        // In its place, so that it stays readable for the server.
        try Data("\(offset)".utf8).write(to: file)
    }

    /// Opens a shop on a server that has one; dbtool has the real time.
    static func withShop(
        _ body: @escaping @Sendable (CampaignShop, ServerClock) async throws -> Void
    ) async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            let clock = try await ServerClock(in: bench)
            try await bench.withOwnServer(["fsync=off"], variables: clock.variables) { source in
                let shop = try await CampaignShop(PostgresCampaignServer(bench, source))
                try await body(shop, clock)
            }
        }
    }

    /// Some seconds from now, or years; not an hour ahead, where it depends on the moment what `prune` takes for the future.
    static func offset(_ random: inout SeededGenerator) -> Int {
        while true {
            let unit = [1, 60, 3600, 86_400, 31_557_600].randomElement(using: &random) ?? 1
            let offset = unit * Int.random(in: -40...40, using: &random)
            if !(3000...4200).contains(offset) { return offset }
        }
    }
}
