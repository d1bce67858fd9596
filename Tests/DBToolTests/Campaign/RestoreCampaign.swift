import BackupTesting
import Foundation
import Testing

/// A restore that is attacked goes on when it is run again, and ends with everything.
@Suite struct RestoreCampaign {
    /// What may fail while a restore reads and loads.
    ///
    /// What cannot be sent is not among them: libpq then waits for what the server says of it, and a connection that is
    /// really broken answers that.
    private static func faults(on product: CampaignShop.Product) -> [Fault] {
        let everywhere = [
            Fault("read", "EIO"), Fault("open", "EIO"), Fault("open", "EMFILE"),
            Fault("readdir", "EIO"), Fault("connect", "ETIMEDOUT"),
            Fault("connect", "ECONNREFUSED"), Fault("recvfrom", "ECONNRESET"),
        ]
        // Only pg_restore needs files of its own.
        let writing = ["EIO", "ENOSPC", "EDQUOT", "EROFS"].map { Fault("write", $0) }
        return everywhere + (product == .postgres ? writing : [])
    }

    private static let products: [CampaignShop.Product] = [.postgres, .mariadb, .mysql]

    @Test(arguments: products)
    func `a killed restore goes on, and ends with everything`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { shop, expected in
            let attack = Attack("kill -9: \(product), restore")
            let kills = try await KillingCalls(of: attack, in: shop) {
                try await shop.run(
                    CampaignShop.restoring(into: shop.server.newName("steps")), before: $0)
            }
            var hit: Set<KillingCalls.Step> = []
            try await attack.run { number, _ in
                let step = kills.step(ofTry: number)
                return try await shop.restore(toHold: expected) { _, words in
                    try await shop.run(words, before: kills.words(at: step))
                } isHit: {
                    if $0.code == 128 + SIGKILL { hit.insert(step) }
                    // Threads that took turns in another order may need fewer.
                    return $0.code == 0 ? nil : $0.code == 128 + SIGKILL
                }.map { $0.map { "killed at \(step): \($0)" } }
            }
            try attack.note(stepsHit: hit.count, of: kills.count)
        }
    }

    @Test(arguments: Attack.isLong ? products : [.postgres, .mariadb])
    func `a call that fails ends a restore with words, and it goes on`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { shop, expected in
            let attack = Attack("failing calls: \(product), restore")
            let calls = try await FailingCalls(Self.faults(on: product), of: attack, in: shop) {
                let target = shop.server.newName("calls")
                let end = try await shop.run(CampaignShop.restoring(into: target), before: $0)
                try await shop.server.drop(target)
                return end
            }
            try await attack.run { number, random in
                let moment = try calls.moment(number, &random)
                return try await shop.restore(toHold: expected) { _, words in
                    try await shop.run(words, before: moment.before)
                } isHit: {
                    calls.wasHit ? $0.faults.isEmpty : nil
                }.map { $0.map { "\(moment): \($0)" } }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a connection that is cut or falls silent costs a restore no row`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { shop, expected in
            try await Attack("cut or silent connection: \(product), restore").run { _, random in
                let isSilent = Bool.random(using: &random)
                let bytes = Int.random(in: 100...120_000, using: &random)
                return try await shop.restore(toHold: expected) { _, words in
                    let proxy = try FailingProxy(
                        to: shop.server.port, after: bytes, isSilent: isSilent)
                    // Then the server has ended its sessions too.
                    defer { proxy.stop() }
                    return try await shop.run(words, port: proxy.port) { running in
                        guard isSilent else { return }
                        try await Task.sleep(for: .seconds(2))
                        for _ in 0..<2 {
                            try? running.send(SIGINT)
                            try await Task.sleep(for: .milliseconds(500))
                        }
                    }
                } isHit: {
                    $0.code == 130 && isSilent || $0.faults.isEmpty
                }.map { $0.map { "\(isSilent ? "silent" : "cut") after \(bytes) bytes: \($0)" } }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a restore that is told to stop goes on`(product: CampaignShop.Product) async throws {
        try await Self.open(on: product) { shop, expected in
            let longest = max(400, try await shop.millisecondsOfFull())
            try await Attack("SIGTERM and SIGHUP: \(product), restore").run { _, random in
                let number = Bool.random(using: &random) ? SIGTERM : SIGHUP
                let wait = Int.random(in: 0...longest, using: &random)
                return try await shop.restore(toHold: expected) { _, words in
                    try await shop.run(words) { running in
                        try await Task.sleep(for: .milliseconds(wait))
                        try? running.send(number)
                    }
                } isHit: {
                    // It was done before, or had not begun.
                    $0.code == 0 || $0.code == 128 + number ? nil : $0.code == 130
                }.map { $0.map { "signal \(number) after \(wait) ms: \($0)" } }
            }
        }
    }

    @Test(arguments: Attack.isLong ? products : [.postgres, .mariadb])
    func `a restore whose statements are cancelled or whose sessions are ended goes on`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { shop, expected in
            try await Attack("cancelled or ended session: \(product), restore").run { _, random in
                let way = try #require(Disturbance.allCases.randomElement(using: &random))
                let wait = Int.random(in: 0...400, using: &random)
                let times = Int.random(in: 1...6, using: &random)
                var disturbed = 0
                return try await shop.restore(toHold: expected) { target, words in
                    try await shop.run(words) { _ in
                        try await Task.sleep(for: .milliseconds(wait))
                        // On a busy machine nobody has come to the target yet.
                        for _ in 0..<40 where disturbed < times {
                            if try await shop.server.disturb(way, in: target) {
                                disturbed += 1
                            } else {
                                try await Task.sleep(for: .milliseconds(25))
                            }
                        }
                    }
                } isHit: {
                    // It was done before.
                    disturbed > 0 ? $0.faults.isEmpty : nil
                }.map { $0.map { "\(way) \(disturbed) times after \(wait) ms: \($0)" } }
            }
        }
    }

    @Test(arguments: Attack.isLong ? products : [.postgres, .mariadb])
    func `a restore whose server crashes or is started again goes on`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.openAlone(on: product) { shop, own in
            let start = ContinuousClock.now
            let expected = try await Self.expected(of: shop)
            let longest = Int(start.duration(to: .now) / .milliseconds(1))
            // Servers take seconds to come back.
            let tries = Attack.isLong ? Attack.tries : 2
            try await Attack("crash or restart of the server: \(product), restore").run(
                tries: tries
            ) { _, random in
                let isCrash = Bool.random(using: &random)
                let wait = Int.random(in: 0...longest, using: &random)
                return try await shop.restore(toHold: expected) { _, words in
                    let end = try await shop.run(words) { _ in
                        try await Task.sleep(for: .milliseconds(wait))
                        if isCrash { try await own.crash() } else { try await own.stop() }
                    }
                    try await own.restart()
                    return end
                } isHit: {
                    // It was done before.
                    $0.code == 0 ? nil : $0.faults.isEmpty
                }.map { $0.map { "\(isCrash ? "crash" : "restart") after \(wait) ms: \($0)" } }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a disk that is full or becomes read-only is enough for a restore`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { shop, expected in
            let tries = Attack.isLong ? Attack.tries : 2
            try await Attack("full or read-only disk: \(product), restore").run(tries: tries) {
                _, random in
                let isFull = Bool.random(using: &random)
                let wait = Duration.milliseconds(Int.random(in: 0...300, using: &random))
                let disk = CampaignDisk(
                    shop: shop,
                    spareKilobytes: isFull ? Int.random(in: 0...100, using: &random) : 100_000,
                    readOnlyAfter: isFull ? nil : wait)
                return try await shop.restore(toHold: expected) { _, words in
                    try await shop.run(words, before: disk.words())
                } isHit: {
                    $0.code == CampaignDisk.tooSmall ? nil : $0.code == 0
                }.map { $0.map { "\(disk.spareKilobytes) kB to spare, \(wait): \($0)" } }
            }
        }
    }

    // MARK: A restore

    /// `body`: Gets the shop, and what a restore of its newest backup must hold.
    private static func open(
        on product: CampaignShop.Product,
        _ body: @escaping @Sendable (CampaignShop, String) async throws -> Void
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try await body(shop, Self.expected(of: shop))
        }
    }

    /// What a restore holds that nothing disturbs.
    private static func expected(of shop: CampaignShop) async throws -> String {
        try shop.layOut()
        let whole = shop.server.newName("whole")
        try await shop.run(CampaignShop.restoring(into: whole)).requireCode(0)
        return try await shop.server.contents(of: whole)
    }
}

extension CampaignShop {
    fileprivate static func restoring(into target: String) -> [String] {
        ["restore", "latest", "--into", target, "--create"]
    }

    /// What does not hold after an attack on a restore: it must go on, and end with everything.
    ///
    /// `attack`: Runs a restore, given its target and its words. `isHit`: Whether it ended as it should; nil for a try that was none.
    /// - Returns: Nil for a try that was none.
    fileprivate func restore(
        toHold expected: String,
        by attack: (_ target: String, _ words: [String]) async throws -> ProgramEnd,
        isHit: (ProgramEnd) -> Bool?
    ) async throws -> [String]? {
        let target = server.newName("attacked")
        let words = Self.restoring(into: target)
        let end = try await attack(target, words)
        guard let endedWell = isHit(end) else {
            try await server.drop(target)
            return nil
        }
        var broken = endedWell ? [] : ["\(end)"]
        var last = end
        // What the attacked one had begun on the server may go on for a moment.
        for wait in 0..<50 where last.code != 0 && (wait == 0 || last.code == 6) {
            if wait > 0 { try await Task.sleep(for: .milliseconds(100)) }
            last = try await run(words)
        }
        let wasComplete = last.code == 1 && last.errors.contains("is not empty")
        if last.code != 0 && !wasComplete {
            broken.append("the next run: \(last)")
        } else if try await server.contents(of: target) != expected {
            broken.append("what was restored differs: \(end)\n\(last)")
        }
        try await server.drop(target)
        return broken
    }
}
