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
        try await Self.open(on: product) { restores in
            let attack = Attack("kill -9: \(product), restore")
            var learned: [RestoreMode: KillingCalls] = [:]
            var hit: [RestoreMode: Set<KillingCalls.Step>] = [:]
            try await attack.run { number, random in
                let mode = restores.mode(by: &random)
                if learned[mode] == nil {
                    learned[mode] = try await KillingCalls(of: attack, in: restores.shop) {
                        try await restores.learn(mode, before: $0)
                    }
                }
                let kills = try #require(learned[mode])
                let step = kills.step(ofTry: number)
                return try await restores.attempt(mode) { _, words in
                    try await restores.shop.run(words, before: kills.words(at: step))
                } isHit: {
                    if $0.code == 128 + SIGKILL { hit[mode, default: []].insert(step) }
                    // Threads that took turns in another order may need fewer.
                    return $0.code == 0 ? nil : $0.code == 128 + SIGKILL
                }.map { $0.map { "killed at \(step): \($0)" } }
            }
            try attack.note(
                stepsHit: hit.values.reduce(0) { $0 + $1.count },
                of: learned.values.reduce(0) { $0 + $1.count })
        }
    }

    @Test(arguments: Attack.isLong ? products : [.postgres, .mariadb])
    func `a call that fails ends a restore with words, and it goes on`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { restores in
            let attack = Attack("failing calls: \(product), restore")
            let faults = Self.faults(on: product)
            func learn(_ mode: RestoreMode) async throws -> FailingCalls {
                // Rows alone need fewer calls than everything.
                try await FailingCalls(
                    mode == .create ? faults : [], perhaps: mode == .create ? [] : faults,
                    of: attack, in: restores.shop
                ) { try await restores.learn(mode, before: $0) }
            }
            var learned: [RestoreMode: FailingCalls] = [.create: try await learn(.create)]
            try await attack.run { number, random in
                let mode = restores.mode(by: &random)
                if learned[mode] == nil { learned[mode] = try await learn(mode) }
                let calls = try #require(learned[mode])
                let moment = try calls.moment(number, &random)
                return try await restores.attempt(mode) { _, words in
                    try await restores.shop.run(words, before: moment.before)
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
        try await Self.open(on: product) { restores in
            try await Attack("cut or silent connection: \(product), restore").run { _, random in
                let mode = restores.mode(by: &random)
                let isSilent = Bool.random(using: &random)
                let bytes = Int.random(in: 100...120_000, using: &random)
                var hasFailed = false
                return try await restores.attempt(mode) { _, words in
                    let proxy = try FailingProxy(
                        to: restores.shop.server.port, after: bytes,
                        by: isSilent ? .silent : .cut)
                    // Then the server has ended its sessions too.
                    defer { proxy.stop() }
                    let end = try await restores.shop.run(words, port: proxy.port) { running in
                        if isSilent { try await running.loseItsPatience() }
                    }
                    hasFailed = proxy.hasFailed
                    return end
                } isHit: {
                    hasFailed ? $0.code == 130 && isSilent || $0.faults.isEmpty : nil
                }.map { $0.map { "\(isSilent ? "silent" : "cut") after \(bytes) bytes: \($0)" } }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a restore that is told to stop goes on`(product: CampaignShop.Product) async throws {
        try await Self.open(on: product) { restores in
            try await Attack("SIGTERM and SIGHUP: \(product), restore").run { _, random in
                let mode = restores.mode(by: &random)
                let longest = max(400, try await restores.outcome(of: mode).milliseconds)
                let number = Bool.random(using: &random) ? SIGTERM : SIGHUP
                let wait = Int.random(in: 0...longest, using: &random)
                return try await restores.attempt(mode) { _, words in
                    try await restores.shop.run(words) { running in
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
        try await Self.open(on: product) { restores in
            try await Attack("cancelled or ended session: \(product), restore").run { _, random in
                let mode = restores.mode(by: &random)
                let way = try #require(Disturbance.allCases.randomElement(using: &random))
                let wait = Int.random(in: 0...400, using: &random)
                let times = Int.random(in: 1...6, using: &random)
                var disturbed = 0
                return try await restores.attempt(mode) { target, words in
                    try await restores.shop.run(words) { _ in
                        try await Task.sleep(for: .milliseconds(wait))
                        // On a busy machine nobody has come to the target yet.
                        for _ in 0..<40 where disturbed < times {
                            if try await restores.shop.server.disturb(way, in: target) {
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
            try shop.layOut()
            let restores = AttackedRestores(of: shop, on: product)
            // Servers take seconds to come back.
            let tries = Attack.isLong ? Attack.tries : 2
            try await Attack("crash or restart of the server: \(product), restore").run(
                tries: tries
            ) { _, random in
                let mode = restores.mode(by: &random)
                let longest = try await restores.outcome(of: mode).milliseconds
                let isCrash = Bool.random(using: &random)
                let wait = Int.random(in: 0...longest, using: &random)
                var wasRunning = false
                return try await restores.attempt(mode) { _, words in
                    let end = try await shop.run(words) { running in
                        try await Task.sleep(for: .milliseconds(wait))
                        wasRunning = running.runsAnother
                        if isCrash { try await own.crash() } else { try await own.stop() }
                    }
                    try await own.restart()
                    return end
                } isHit: {
                    wasRunning ? $0.faults.isEmpty : nil
                }.map { $0.map { "\(isCrash ? "crash" : "restart") after \(wait) ms: \($0)" } }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a disk that is full or becomes read-only is enough for a restore`(
        product: CampaignShop.Product
    ) async throws {
        try await Self.open(on: product) { restores in
            let tries = Attack.isLong ? Attack.tries : 2
            try await Attack("full or read-only disk: \(product), restore").run(tries: tries) {
                _, random in
                let mode = restores.mode(by: &random)
                let isFull = Bool.random(using: &random)
                let wait = Duration.milliseconds(Int.random(in: 0...300, using: &random))
                let disk = CampaignDisk(
                    shop: restores.shop,
                    spareKilobytes: isFull ? Int.random(in: 0...100, using: &random) : 100_000,
                    readOnlyAfter: isFull ? nil : wait)
                return try await restores.attempt(mode) { _, words in
                    try await restores.shop.run(words, before: disk.words())
                } isHit: {
                    $0.code == CampaignDisk.tooSmall ? nil : $0.code == 0
                }.map { $0.map { "\(disk.spareKilobytes) kB to spare, \(wait): \($0)" } }
            }
        }
    }

    // MARK: Restores

    private static func open(
        on product: CampaignShop.Product,
        _ body: @escaping @Sendable (AttackedRestores) async throws -> Void
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try shop.layOut()
            try await body(AttackedRestores(of: shop, on: product))
        }
    }
}

extension RunningProgram {
    /// Interrupts it as somebody does who has waited in vain; the second time it need not wait for the server.
    func loseItsPatience() async throws {
        try await Task.sleep(for: .seconds(2))
        for _ in 0..<2 {
            try? send(SIGINT)
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
