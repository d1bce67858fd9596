import BackupCore
import Synchronization

/// What the server has refused to make.
///
/// Of what follows the rows everything else is made before a restore ends with that: all of it is named at once, and the
/// rows can be used meanwhile.
final class PostgresRefusals: Sendable {
    private struct State {
        /// What was being done when the first of those came that are not to be expected, and its words.
        var first: String?
        var words: [String] = []
        var complaints: [String] = []
    }

    /// What helps against it.
    static let hint =
        "Mend the cause and run the same restore again: it goes on with what is missing."
    /// More of the programs' own words would hide what they are about.
    private static let longest = 40

    private let state = Mutex(State())

    /// Whether there are some that were not to be expected.
    var endsRestore: Bool { state.withLock { $0.first != nil } }

    /// Adds what was refused, each with its name, and all that was said of it.
    func add(_ words: [String], to what: String, _ complaints: String, areExpected: Bool) {
        guard let first = words.first else { return }
        state.withLock { state in
            if !areExpected { state.first = state.first ?? "\(what): \(first)" }
            state.words += words
            state.complaints += complaints.split(separator: "\n").map(String.init)
        }
    }

    /// Ends the restore where some were not to be expected.
    ///
    /// - Throws: `BackupError.serverRefused` that names all of them, with those that were: what was refused may be the cause.
    func endRestore() throws {
        let all = state.withLock { $0 }
        guard let first = all.first else { return }
        let more = all.words.count > 1 ? " (and \(all.words.count - 1) more problems)" : ""
        let names = all.words.count > 1 ? all.words.map { "not made: \($0)" } : []
        throw BackupError(
            .serverRefused, "\(first)\(more)", hint: Self.hint,
            underlying: (names + all.complaints.prefix(Self.longest)).joined(separator: "\n"))
    }
}
