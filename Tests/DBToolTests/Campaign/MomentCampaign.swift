import BackupTesting
import Foundation
import Testing

/// Whatever happens beside a run, at any moment of it: signals, another run, a clock that is set.
@Suite struct MomentCampaign {
    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a run that is told to stop undoes itself`(product: CampaignShop.Product) async throws {
        try await CampaignShop.open(on: product) { shop in
            let longest = max(250, try await shop.millisecondsOfFull())
            try await Attack("SIGTERM and SIGHUP, \(product)").run { number, random in
                try shop.layOut()
                let verb = try #require(CampaignVerb.backups.randomElement(using: &random))
                let signal = Bool.random(using: &random) ? SIGTERM : SIGHUP
                let wait = Int.random(in: 0...longest, using: &random)
                let end = try await shop.run(verb.words) { running in
                    try await Task.sleep(for: .milliseconds(wait))
                    try? running.send(signal)
                }
                // It was done before, or had not begun.
                guard end.code != 0, end.code != 128 + signal else { return nil }
                // A backup that is complete before its archive is stays, and says so.
                let isWhole = verb == .zipped && end.code == 3
                var broken = end.code == 130 || isWhole ? [] : ["\(end)"]
                broken += try await shop.unfinished()
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map { "signal \(signal) after \(wait) ms, \(verb): \($0)" }
            }
        }
    }

    @Test
    func `a prune, a pin or a proof that is told to stop is done, or goes on when it is run again`()
        async throws
    {
        // They ask no server, and are done too soon for whoever waits for a moment: each is told at one of its calls.
        let verbs: [CampaignVerb] = [.prune, .pin, .verify]
        try await CampaignShop.open(on: .postgres, stock: .twoChains) { shop in
            let attack = Attack("SIGTERM and SIGHUP of prune, pin and verify")
            var calls: [KillingCalls] = []
            for verb in verbs {
                calls.append(
                    try await KillingCalls(.repository, of: attack, in: shop) {
                        try shop.layOut()
                        return try await shop.run(verb.words, before: $0)
                    })
            }
            var hit = verbs.map { _ in Set<KillingCalls.Step>() }
            let tries = max(Attack.tries, verbs.count)
            try await attack.run(tries: tries) { number, random in
                try shop.layOut()
                let (turn, place) = number.quotientAndRemainder(dividingBy: verbs.count)
                let (verb, step) = (verbs[place], calls[place].step(ofTry: turn))
                let signal = Bool.random(using: &random) ? "SIGTERM" : "SIGHUP"
                let end = try await shop.run(
                    verb.words, before: calls[place].words(at: step, telling: signal))
                // Where nothing listens yet the signal ends it before it can say that it came.
                let wasEnded = [128 + SIGTERM, 128 + SIGHUP].contains(end.code)
                guard wasEnded || calls[place].wasTold else { return nil }
                hit[place].insert(step)
                // Some of the last calls are too late to undo anything.
                var broken = [0, 130].contains(end.code) ? [] : ["\(end)"]
                broken += try await shop.faults(
                    ofNoteAfter: verb, isDone: end.code == 0)
                broken += try await shop.unfinished()
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map { "\(signal) at \(step), \(verb): \($0)" }
            }
            try attack.note(
                stepsHit: hit.map(\.count).reduce(0, +), of: calls.map(\.count).reduce(0, +))
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `two runs at once are as two runs, or one of them is refused`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try await Attack("two runs at once, \(product)").run { number, random in
                try shop.layOut()
                let verbs = try (0..<2).map { _ in
                    try #require((CampaignVerb.backups + [.prune]).randomElement(using: &random))
                }
                let wait = Int.random(in: 0...150, using: &random)
                async let first = shop.run(verbs[0].words)
                try await Task.sleep(for: .milliseconds(wait))
                let ends = [try await shop.run(verbs[1].words), try await first]
                let runs = zip(verbs.reversed(), ends)
                var broken = runs.compactMap { verb, end in
                    verb.isDone(end) || end.code == 6 ? nil : "\(end)"
                }
                if ends.allSatisfy({ $0.code == 6 }) { broken.append("both were refused: \(ends)") }
                // Whoever prunes may remove all that was there, once there is a newer one.
                let kept = verbs.contains(.prune) ? [] : shop.ids
                let isOfSource = runs.contains { $0.readsSource && $0.isDone($1) }
                let source = try await shop.server.contents(of: shop.server.source)
                let before = try await shop.contentsOfNewest()
                broken += try await shop.differences(
                    ofPoint: "latest", from: isOfSource ? source : before)
                broken += try await shop.aftermath(
                    of: verbs[0], inTry: number, keeping: kept,
                    restoring: isOfSource || verbs[0].readsSource ? source : before)
                return broken.map { "\(verbs), \(wait) ms apart: \($0)" }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `runs of two databases in one repository do not get in each other's way`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try shop.layOut()
            let other = shop.server.newName("other")
            try await shop.run(["restore", shop.newest, "--into", other, "--create"])
                .requireCode(0)
            let contents = try await shop.server.contents(of: other)
            let tries = Attack.isLong ? Attack.tries : 2
            try await Attack("runs of two databases at once, \(product)").run(tries: tries) {
                number, random in
                try shop.layOut()
                let beside: CampaignVerb = Bool.random(using: &random) ? .full : .zipped
                let verb = try #require(
                    (CampaignVerb.backups + [.prune]).randomElement(using: &random))
                let wait = Int.random(in: 0...150, using: &random)
                async let first = shop.run(beside.words, of: other)
                try await Task.sleep(for: .milliseconds(wait))
                let ends = [try await shop.run(verb.words), try await first]
                var broken = ends.filter { $0.code != 0 }.map { "\($0)" }
                broken += try await shop.differences(
                    ofPoint: "latest", of: other, from: contents)
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map { "\(beside), \(verb) after \(wait) ms: \($0)" }
            }
        }
    }

    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `a clock that is set, before a run or in the middle of it, spoils no backup`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            let library = try await PreloadedLibrary("set-clock", for: shop)
            let clock = URL(fileURLWithPath: "\(shop.server.folder)/clock")
            let bySetClock = library.words(["CLOCK_FILE": clock.path])
            try await Attack("clock that is set, \(product)").run { number, random in
                try shop.layOut()
                var story: [String] = []
                var broken: [String] = []
                for verb in [CampaignVerb.full, .incremental, .differential, .zipped]
                    .shuffled(using: &random).prefix(3)
                {
                    let offsets = (0..<2).map { _ in Self.offset(&random) }
                    try Data(offsets[0].utf8).write(to: clock)
                    let wait = Int.random(in: 0...200, using: &random)
                    let end = try await shop.run(verb.words, before: bySetClock) { _ in
                        try await Task.sleep(for: .milliseconds(wait))
                        try Data(offsets[1].utf8).write(to: clock, options: .atomic)
                    }
                    story.append("\(verb) at \(offsets[0]), \(offsets[1]) after \(wait) ms")
                    // Whoever waits by the clock, as libpq does for a connection, may find the time over.
                    broken += end.faults
                }
                broken += try await shop.aftermath(of: .incremental, inTry: number)
                // Whatever a clock takes for old, the newest point stays, and what it rests on.
                let newest = try await shop.newestPoint()
                let offset = Self.offset(&random)
                try Data(offset.utf8).write(to: clock)
                let end = try await shop.run(
                    ["prune", "--keep-daily", "2", "--keep-within", "1"], before: bySetClock)
                story.append("prune at \(offset)")
                broken += end.faults
                broken += try await shop.broken(keeping: Set([newest].compactMap(\.self)))
                let left = try await shop.newestPoint()
                if newest == nil || left != newest {
                    broken.append("the newest was \(newest ?? "none"), and is \(left ?? "none")")
                }
                broken += try await shop.differences(ofPoint: "latest")
                return broken.map { "\(story): \($0)" }
            }
        }
    }

    /// Seconds from now: a few, or years.
    private static func offset(_ random: inout SeededGenerator) -> String {
        let unit = [1, 60, 3600, 86_400, 31_557_600].randomElement(using: &random) ?? 1
        return "\(unit * Int.random(in: -40...40, using: &random))"
    }
}
