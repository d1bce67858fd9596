/// Numbers as people read them.
public enum NumberText {
    /// `1,234,567`.
    public static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var groups: [Substring] = []
        var rest = digits[...]
        while !rest.isEmpty {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
    public static func duration(seconds: Double) -> String {
        // What a file says may be any number.
        let seconds = seconds.isFinite ? min(max(0, seconds), longest) : 0
        let whole = Int(seconds.rounded())
        return switch seconds {
        case ..<9.95:
            "\(Int((seconds * 10).rounded()) / 10).\(Int((seconds * 10).rounded()) % 10) s"
        case ..<119.5: "\(whole) s"
        case ..<7199.5: "\(whole / 60) min \(whole % 60) s"
        default: "\(whole / 3600) h \(whole % 3600 / 60) min"
        }
    }

    private static let longest = 1e12

    /// How long ago something was, in one unit: `20 s`, `12 min`, `3 h`, `40 d`, `3 y`.
    ///
    /// A moment in the future, by another machine's clock, was no time ago.
    public static func age(seconds: Double) -> String {
        let whole = Int(seconds.isFinite ? min(max(0, seconds), longest) : 0)
        return switch whole {
        case ..<120: "\(whole) s"
        case ..<(120 * 60): "\(whole / 60) min"
        case ..<(48 * 3600): "\(whole / 3600) h"
        case ..<(730 * 86400): "\(whole / 86400) d"
        default: "\(whole / (365 * 86400)) y"
        }
    }
}
