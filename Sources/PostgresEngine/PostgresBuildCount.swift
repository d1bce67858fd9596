import BackupCore

/// Counts what pg_restore has made, from what it says with `--verbose`.
///
/// With several jobs it says which entry is launched and finished; with one job only what it
/// begins to make. Names may hold anything, so only the archive's own numbers are believed.
struct PostgresBuildCount: Sendable {
    /// Everything that is to be made, in all runs of pg_restore.
    private let wanted: Set<Int>
    private var finished: Set<Int> = []

    // The run that is under way.
    private var entries: Set<Int> = []
    private var isParallel = false
    private var begun = 0
    private var launched: [(id: Int, step: StepProgress.Step)] = []

    init(_ wanted: Set<Int>) { self.wanted = wanted }

    /// A run of pg_restore begins.
    mutating func begin(_ entries: Set<Int>, jobs: Int) {
        self.entries = entries.intersection(wanted)
        isParallel = jobs > 1
        begun = 0
        launched = []
    }

    /// The run has ended; what failed and is tried again is not done.
    mutating func end(toTryAgain failed: Set<Int> = []) {
        finished.formUnion(entries.subtracting(failed))
        begin([], jobs: 1)
    }

    private static let creating = "pg_restore: creating "

    /// Reads a line of the run's messages; whether it told nothing else.
    mutating func read(_ line: String) -> Bool {
        if let item = Self.item(in: line) {
            if isParallel, entries.contains(item.id) {
                launched.removeAll { $0.id == item.id }
                if item.isFinished {
                    finished.insert(item.id)
                } else {
                    launched.append((item.id, .init(item.name, began: .now)))
                }
            }
        } else if line.hasPrefix(Self.creating) {
            guard !isParallel else { return true }
            begun += 1
            let name = line.dropFirst(Self.creating.count).replacing("\"", with: "")
            launched = [(0, .init(String(name), began: .now))]
        } else {
            return false
        }
        return line.hasPrefix("pg_restore: ") && !line.contains("error:")
    }

    /// What a line says of an item, which may stand inside another line: `… finished item 12 INDEX public.a`.
    ///
    /// Without a pattern, which would be compiled at each use: there are lines for every entry.
    private static func item(in line: String) -> (id: Int, isFinished: Bool, name: String)? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        for place in words.indices.dropFirst().dropLast(2) where words[place] == "item" {
            let isFinished = words[place - 1].hasSuffix("finished")
            guard isFinished || words[place - 1].hasSuffix("launching"),
                let id = Int(words[place + 1])
            else { continue }
            return (id, isFinished, words[(place + 2)...].joined(separator: " "))
        }
        return nil
    }

    /// What is done, and what was begun first of the rest, as pg_restore names it.
    var progress: StepProgress {
        // What begins has to be made yet, and everything before it is there.
        let made = isParallel ? 0 : min(max(0, begun - 1), entries.count)
        return StepProgress(
            done: min(wanted.count, finished.count + made), total: wanted.count,
            current: launched.first?.step)
    }
}
