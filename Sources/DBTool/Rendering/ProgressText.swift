import BackupCore
import Terminal

/// What the progress line says behind the phase: only what is known.
///
/// It remembers what it has seen, to tell how fast the work goes now.
struct ProgressText {
    /// A pause that is worth saying.
    private static let longPause = 5.0

    private var phase: ContinuousClock.Instant?
    private var rate = RecentRate()

    /// How far a phase has come, the most important first.
    mutating func details(
        of reading: OperationProgress.Reading, at now: ContinuousClock.Instant
    ) -> [String] {
        let seconds = reading.began.duration(to: now).seconds
        if phase != reading.began {
            (phase, rate) = (reading.began, RecentRate())
        }
        rate.note(reading.bytes, at: seconds)
        if let steps = reading.steps { return Self.steps(steps, seconds, at: now) }
        var parts: [String] = []
        if reading.bytes > 0 { parts += amount(reading) }
        if reading.rows > 0 { parts.append("\(NumberText.grouped(reading.rows)) rows") }
        if seconds >= 1 { parts.append(NumberText.duration(seconds: seconds)) }
        return parts
    }

    /// What is being worked on now.
    static func subject(of reading: OperationProgress.Reading) -> String? {
        reading.steps?.current.map { VisibleText.of($0.name) }
    }

    /// The share belongs to the activity: an index is read for and sorted before it is written.
    private static func steps(
        _ steps: StepProgress, _ phaseSeconds: Double, at now: ContinuousClock.Instant
    ) -> [String] {
        let (done, total) = (NumberText.grouped(steps.done), NumberText.grouped(steps.total))
        let count = steps.total > 0 ? ["\(done) of \(total)"] : []
        let seconds = steps.current?.began?.duration(to: now).seconds ?? phaseSeconds
        let time = seconds >= 1 ? NumberText.duration(seconds: seconds) : nil
        guard let step = steps.current, let activity = step.activity else {
            return count + [time].compactMap(\.self)
        }
        let progress = step.share.map { " \(percent($0)) %" } ?? time.map { ", \($0)" } ?? ""
        return count + ["\(activity)\(progress)"]
    }

    private func amount(_ reading: OperationProgress.Reading) -> [String] {
        // The total is an estimate: when there is more, it was wrong, and nothing follows from it.
        let total = reading.totalBytes.flatMap { $0 > reading.bytes ? $0 : nil }
        let share = total.map { "\(Self.percent(reading.bytes, of: $0)) %" }
        let amount =
            "\(ByteText(reading.bytes))" + (total.map { " of about \(ByteText($0))" } ?? "")
        return [share, amount].compactMap(\.self) + speed(left: total.map { $0 - reading.bytes })
    }

    private func speed(left: Int?) -> [String] {
        guard rate.idleSeconds < Self.longPause else {
            return ["nothing for \(NumberText.age(seconds: rate.idleSeconds))"]
        }
        guard let perSecond = rate.perSecond, perSecond > 0 else { return [] }
        let timeLeft = left.map { Self.timeLeft(seconds: Double($0) / perSecond) }
        return ["\(ByteText(Int(perSecond)))/s"] + [timeLeft].compactMap(\.self)
    }

    /// Never all while something is left.
    static func percent(_ part: Int, of total: Int) -> Int {
        percent(Double(part) / Double(total))
    }

    private static func percent(_ share: Double) -> Int { Int(min(max(share, 0), 0.99) * 100) }

    /// As exact as an estimate is, and never nothing.
    static func timeLeft(seconds: Double) -> String {
        let words =
            switch seconds {
            case ..<5: "a few seconds"
            case ..<57.5: "about \(rounded(seconds, to: 5)) s"
            case ..<115: "about \(rounded(seconds, to: 10)) s"
            case ..<595: NumberText.duration(seconds: Double(rounded(seconds, to: 10))).asEstimate
            case ..<7170: "about \(rounded(seconds, to: 60) / 60) min"
            case ..<(48 * 3600):
                NumberText.duration(seconds: Double(rounded(seconds, to: 600))).asEstimate
            default: "more than \(NumberText.age(seconds: min(seconds, 1e9)))"
            }
        return "\(words) left"
    }

    private static func rounded(_ seconds: Double, to step: Int) -> Int {
        max(step, Int((seconds / Double(step)).rounded()) * step)
    }
}

extension String {
    /// `3 min 0 s` is `about 3 min`.
    fileprivate var asEstimate: String {
        let words =
            hasSuffix(" 0 s") || hasSuffix(" 0 min") ? split(separator: " ").dropLast(2) : []
        return "about " + (words.isEmpty ? self : words.joined(separator: " "))
    }
}
