import BackupTesting
import Foundation
import Testing

/// Verbs that only read tell the truth or fail with words, whatever cannot be read.
@Suite struct FailingReadCampaign {
    /// A verb that changes nothing.
    enum Verb: String, CaseIterable, CustomTestStringConvertible {
        case rows, diff, history, list, show, verify
        var testDescription: String { rawValue }

        /// Its words. `older` and `newest`: Points of one chain.
        func words(from older: String, to newest: String) -> [String] {
            switch self {
            case .rows: ["rows", newest, "people"]
            case .diff: ["diff", older, newest, "-tablename", "people", "--format", "csv"]
            case .history: ["history", "people", "1"]
            case .list: ["list", "--json"]
            case .show: ["show", newest, "--json"]
            case .verify: ["verify", newest, "--json"]
            }
        }

        /// What it has found, without what another moment changes, and what a view may not know of a backup.
        func answer(_ end: ProgramEnd) throws -> JSON {
            switch self {
            case .rows, .diff, .history: .text(end.output)
            case .list, .show, .verify: try JSON(parsing: end.output).lasting
            }
        }
    }

    private static let faults = [
        Fault("read", "EIO"), Fault("open", "EIO"), Fault("readdir", "EIO"),
        Fault("open", "EMFILE"),
    ]
    private static let words = ["Input/output error", "Too many open files"]

    private static let runs: [(CampaignShop.Product, Verb)] =
        Verb.allCases.map { (.postgres, $0) }
        + (Attack.isLong ? Verb.allCases.map { (.mariadb, $0) } : [])

    @Test(arguments: runs)
    func `what cannot be read is told, or not needed`(
        product: CampaignShop.Product, verb: Verb
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try shop.layOut()
            let older = try #require(shop.ids.sorted().first { $0.hasPrefix("full_") })
            let words = verb.words(from: older, to: shop.newest)
            let undisturbed = try await shop.run(words, as: false)
            try undisturbed.requireCode(0)
            let truth = try verb.answer(undisturbed)
            let attack = Attack("failing reads: \(product), \(verb)")
            let calls = try await FailingCalls(
                [Self.faults[0], Self.faults[1]], perhaps: Array(Self.faults.dropFirst(2)),
                of: attack, in: shop
            ) {
                try shop.layOut()
                return try await shop.run(words, before: $0, as: false)
            }
            try await attack.run { number, random in
                try shop.layOut()
                let moment = try calls.moment(number, &random)
                let end = try await shop.run(words, before: moment.before, as: false)
                guard calls.wasHit else { return nil }
                var broken = end.faults
                if end.code == 0 {
                    let isTold = Self.isTold(end, by: verb)
                    if try !isTold && verb.answer(end) != truth {
                        broken.append("another answer, and not a word: \(end)")
                    }
                    // What a backup is made of was not all read; what only tells of it can be done without.
                    let unproven = calls.failedFiles.filter(Self.isOfBackup)
                    if verb == .verify, !isTold, !unproven.isEmpty {
                        broken.append("proven without \(unproven): \(end)")
                    }
                }
                broken += try await shop.broken(keeping: shop.ids)
                return broken.map { "\(moment): \($0)" }
            }
        }
    }

    /// Whether an answer says that something could not be read.
    private static func isTold(_ end: ProgramEnd, by verb: Verb) -> Bool {
        let isInWords = words.contains { end.errors.contains($0) || end.output.contains($0) }
        guard verb == .list, let list = try? JSON(parsing: end.output) else { return isInWords }
        return isInWords || !list["unreadable"].items.isEmpty
    }

    /// Whether a file is part of a backup: neither the repository's own, nor what is known about one.
    private static func isOfBackup(_ path: String) -> Bool {
        path.contains("/full_") && !path.hasSuffix("/metadata.json")
            && !path.contains("state.json")
    }
}

extension JSON {
    private static let passing: Set = [
        "age_seconds", "duration_seconds", "state", "pinned", "verified", "drilled", "doubted_by",
    ]

    /// The same without members that may be others at another moment.
    fileprivate var lasting: JSON {
        switch self {
        case .object(let members):
            .object(members.filter { !Self.passing.contains($0.key) }.mapValues(\.lasting))
        case .array(let items): .array(items.map(\.lasting))
        default: self
        }
    }
}
