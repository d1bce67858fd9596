import BackupTesting
import Synchronization
import Testing

/// Restores of a shop's newest backup, by all modes that people have, and what each must come to whatever attacks it.
///
/// Tables that exist are as they were, or as they should be; what a restore makes may be there in part, until the same
/// command is run again.
struct AttackedRestores: Sendable {
    let shop: CampaignShop
    private let isPostgres: Bool
    private let others: String?
    private let known = Known()

    /// What is known of modes that were tried.
    private final class Known: Sendable {
        let outcomes = Mutex<[RestoreMode: Outcome]>([:])
    }

    /// What an undisturbed restore comes to.
    struct Outcome: Sendable {
        /// The rows that were there, before it and after.
        let before: String
        let after: String
        /// All that the target holds then.
        let contents: String
        /// How long it took here and now.
        let milliseconds: Int
    }

    /// Of the repository that the shop has laid out.
    ///
    /// `others`: A query of what else a target holds in the end.
    init(of shop: CampaignShop, on product: CampaignShop.Product, comparing others: String? = nil) {
        (self.shop, isPostgres, self.others) = (shop, product == .postgres, others)
    }

    /// What is tried; an empty database is a new one but for a statement.
    static let modes = RestoreMode.allCases.filter { $0 != .empty }

    /// One of them.
    func mode(by random: inout SeededGenerator) -> RestoreMode {
        Self.modes.randomElement(using: &random) ?? .create
    }

    // MARK: Undisturbed

    /// What a mode comes to, which is found out once.
    func outcome(of mode: RestoreMode) async throws -> Outcome {
        if let outcome = known.outcomes.withLock({ $0[mode] }) { return outcome }
        let target = shop.server.newName("whole")
        try await prepare(target, for: mode)
        let before = try await rows(of: mode.watched, in: target)
        let start = ContinuousClock.now
        try await shop.run(mode.words(into: target)).requireCode(0)
        let time = start.duration(to: .now)
        let outcome = Outcome(
            before: before, after: try await rows(of: mode.watched, in: target),
            contents: try await contents(of: target, mode),
            milliseconds: Int(time / .milliseconds(1)))
        try await shop.server.drop(target)
        known.outcomes.withLock { $0[mode] = outcome }
        return outcome
    }

    /// A restore with words before its own, of which calls are learned.
    func learn(_ mode: RestoreMode, before: [String]) async throws -> ProgramEnd {
        let target = shop.server.newName("learned")
        try await prepare(target, for: mode)
        let end = try await shop.run(mode.words(into: target), before: before)
        try await shop.server.drop(target)
        return end
    }

    /// Makes what the restore finds.
    private func prepare(_ target: String, for mode: RestoreMode) async throws {
        guard mode != .create else { return }
        try await shop.run(RestoreMode.create.words(into: target)).requireCode(0)
        try await shop.server.query(mode.preparation, in: target)
    }

    private func contents(of target: String, _ mode: RestoreMode) async throws -> String {
        let others =
            if let others { try await shop.server.query(others, in: target) } else { "" }
        return try await shop.server.contents(of: target) + rows(of: mode.tables, in: target)
            + others
    }

    /// All rows of some tables, as of one moment; nothing where there are none.
    private func rows(of tables: [ShopTable], in target: String) async throws -> String {
        guard !tables.isEmpty else { return "" }
        let all = tables.map { $0.rows(isPostgres) }.joined(separator: " UNION ALL ")
        return try await shop.server.query("\(all) ORDER BY 1, 2, 3", in: target)
    }

    // MARK: Attacked

    /// What does not hold after an attack on a restore: what was there is as it was or as it should be, and the same
    /// command ends with everything.
    ///
    /// `attack`: Runs a restore, given its target and its words. `isHit`: Whether it ended as it should; nil for a try that was none.
    /// - Returns: Nil for a try that was none.
    func attempt(
        _ mode: RestoreMode,
        by attack: (_ target: String, _ words: [String]) async throws -> ProgramEnd,
        isHit: (ProgramEnd) -> Bool?
    ) async throws -> [String]? {
        let expected = try await outcome(of: mode)
        let target = shop.server.newName("attacked")
        try await prepare(target, for: mode)
        let words = mode.words(into: target)
        let end = try await attack(target, words)
        guard let endedWell = isHit(end) else {
            try await shop.server.drop(target)
            return nil
        }
        var broken = endedWell ? [] : ["\(end)"]
        let between = try await rows(of: mode.watched, in: target)
        if between != expected.before, between != expected.after {
            broken.append("what was there is neither as it was nor as it should be: \(end)")
        }
        var last = end
        // What the attacked one had begun on the server may go on for a moment.
        for wait in 0..<100 where last.code != 0 && (wait == 0 || last.code == 6) {
            if wait > 0 { try await Task.sleep(for: .milliseconds(100)) }
            last = try await shop.run(words)
        }
        let wasComplete = last.code == 1 && mode.isInItsOwnWay(last.errors)
        if last.code != 0 && !wasComplete {
            broken.append("the next run: \(last)")
        } else if try await contents(of: target, mode) != expected.contents {
            broken.append("what was restored differs: \(end)\n\(last)")
        }
        try await shop.server.drop(target)
        return broken.map { "\(mode): \($0)" }
    }
}

/// A table of a target.
private enum ShopTable {
    case people, pets, odd
    /// One that no backup knows.
    case mine
    /// What `RestoreMode.copy` makes.
    case copy

    /// A query of all its rows: its name, a number and a text.
    func rows(_ isPostgres: Bool) -> String {
        switch self {
        case .people: "SELECT 'people', id, name FROM people"
        case .pets: "SELECT 'pets', owner, name FROM pets"
        case .odd where isPostgres: "SELECT 'odd', a, b FROM \"Odd, \"\"name\"\" x\""
        case .odd: "SELECT 'odd', a, b FROM `Odd, ``name`` x`"
        case .mine: "SELECT 'mine', id, name FROM mine"
        case .copy: "SELECT 'copy', id, name FROM copy"
        }
    }
}

extension RestoreMode {
    fileprivate func words(into target: String) -> [String] {
        let tables: [String] =
            switch self {
            case .create, .empty, .clean: []
            case .beside: ["pets"]
            case .copy: ["people"]
            case .truncate, .append, .rows: ["people", "pets"]
            }
        return ["restore", "latest", "--into", target] + words(tables)
    }

    /// What makes a restored shop into what the restore finds.
    fileprivate var preparation: String {
        let change =
            switch self {
            case .create, .empty, .copy: ""
            case .beside: "DROP TABLE pets;"
            case .truncate:
                """
                DELETE FROM pets WHERE owner % 2 = 0; INSERT INTO pets VALUES ('another', NULL);
                UPDATE people SET name = 'x' WHERE id % 2 = 0;
                """
            case .append: "DELETE FROM people; INSERT INTO pets VALUES ('another', NULL);"
            case .rows: "DELETE FROM pets; DELETE FROM people;"
            case .clean: "DROP TABLE pets; UPDATE people SET name = 'x';"
            }
        return """
            \(change) CREATE TABLE mine (id integer PRIMARY KEY, name varchar(20));
            INSERT INTO mine VALUES (1, 'mine');
            """
    }

    /// The tables that are as they were or as they should be at any time, all of one moment.
    fileprivate var watched: [ShopTable] {
        switch self {
        case .create, .empty: []
        case .beside: [.people, .odd, .mine]
        case .copy, .truncate, .append, .rows: [.people, .pets, .odd, .mine]
        case .clean: [.mine]
        }
    }

    /// The tables that are there at the end.
    fileprivate var tables: [ShopTable] {
        switch self {
        case .create, .empty: [.people, .pets, .odd]
        case .beside, .truncate, .append, .rows, .clean: [.people, .pets, .odd, .mine]
        case .copy: [.people, .pets, .odd, .mine, .copy]
        }
    }
}
