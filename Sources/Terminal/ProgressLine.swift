import Synchronization

/// One line on standard error that tells how far work has come.
///
/// On a terminal it is redrawn in place and fits its width; elsewhere a plain line is written when
/// a phase begins, and again from time to time while it lasts.
public final class ProgressLine: Sendable {
    /// Where the line goes.
    public struct Place: Sendable {
        /// The columns of a terminal at this moment; nil where nothing can be redrawn.
        public var width: @Sendable () -> Int?
        /// The time, in seconds since whenever.
        public var seconds: @Sendable () -> Double
        /// Takes what is written.
        public var write: @Sendable (String) -> Void

        /// Describes a place.
        public init(
            width: @escaping @Sendable () -> Int?, seconds: @escaping @Sendable () -> Double,
            write: @escaping @Sendable (String) -> Void
        ) {
            self.width = width
            self.seconds = seconds
            self.write = write
        }

        /// Standard error.
        public static var standardError: Place {
            let start = ContinuousClock.now
            return Place(
                width: { TerminalOutput.errorWidth },
                seconds: { (ContinuousClock.now - start) / .seconds(1) },
                write: TerminalOutput.printError)
        }
    }

    private struct State {
        var shown = ""
        var isOver = false
        /// When a plain line was written last.
        var writtenAt = 0.0
    }

    /// How often a phase that lasts is worth a plain line: a mail of cron is read by people.
    private static let pause = 30.0

    private let state = Mutex(State())
    private let place: Place

    /// A line that shows nothing yet.
    public init(in place: Place = .standardError) {
        self.place = place
    }

    /// Shows how far a phase has come.
    ///
    /// `details`: The most important first; what does not fit the terminal is left out.
    /// `subject`: What is being worked on; it gets the room that is left, and is cut to it.
    public func show(phase: String, details: [String], subject: String? = nil) {
        state.withLock { state in
            guard !state.isOver, !TerminalOutput.isAsking.load(ordering: .relaxed) else { return }
            guard let width = place.width() else {
                let all = (details + [subject].compactMap(\.self)).joined(separator: " · ")
                showPlainly("\(phase): \(all)", &state)
                return
            }
            let text = Self.line(phase, details, subject, width: width)
            guard text != state.shown else { return }
            place.write("\r\u{1B}[K\(text)")
            state.shown = text
        }
    }

    /// Says that a phase begins, where the line is not redrawn.
    public func begin(phase: String) {
        guard place.width() == nil else { return }
        state.withLock { state in
            state.writtenAt = place.seconds()
            place.write("\(phase) …\n")
        }
    }

    /// Writes a line of its own and goes on below it.
    public func print(_ line: String) {
        state.withLock { state in
            place.write(state.shown.isEmpty ? "\(line)\n" : "\r\u{1B}[K\(line)\n")
            state.shown = ""
        }
    }

    /// Removes the line until it is shown again.
    public func clear() {
        state.withLock { remove(&$0) }
    }

    /// Removes the line, for good.
    public func end() {
        state.withLock { state in
            state.isOver = true
            remove(&state)
        }
    }

    private func remove(_ state: inout State) {
        if !state.shown.isEmpty { place.write("\r\u{1B}[K") }
        state.shown = ""
    }

    private func showPlainly(_ text: String, _ state: inout State) {
        let now = place.seconds()
        guard now - state.writtenAt >= Self.pause else { return }
        state.writtenAt = now
        place.write("\(text)\n")
    }

    /// The last column stays free: a character there would make some terminals begin a line.
    private static func line(
        _ phase: String, _ details: [String], _ subject: String?, width: Int
    ) -> String {
        let limit = max(0, width - 1)
        for count in stride(from: details.count, through: 0, by: -1) {
            let shown = details.prefix(count)
            let text = line(phase, shown)
            guard text.count <= limit else { continue }
            guard count == details.count, let subject else { return text }
            let room = limit - line(phase, shown + [""]).count
            return cut(subject, to: room).map { line(phase, shown + [$0]) } ?? text
        }
        return String(phase.prefix(limit))
    }

    private static func line(_ phase: String, _ details: ArraySlice<String>) -> String {
        details.isEmpty ? phase : "\(phase)  \(details.joined(separator: " · "))"
    }

    /// A name of which less is left than that would tell nothing.
    private static let leastSubject = 8

    private static func cut(_ subject: String, to room: Int) -> String? {
        guard subject.count > room else { return subject }
        return room >= leastSubject ? "\(subject.prefix(room - 1))…" : nil
    }
}
