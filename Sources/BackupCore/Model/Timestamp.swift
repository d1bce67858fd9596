public import Foundation

/// An instant, as files and people read it: always UTC.
public struct Timestamp: Sendable, Hashable, Comparable, Codable {
    /// The instant.
    public let date: Date

    /// Wraps an instant.
    public init(_ date: Date) {
        self.date = date
    }

    /// Now, by this machine's clock.
    public static var now: Timestamp { Timestamp(Date()) }

    /// The seconds since another instant, with three places.
    func seconds(since start: Timestamp) -> Double {
        (date.timeIntervalSince(start.date) * 1000).rounded() / 1000
    }

    /// `2025-01-01T12:00:00.123456+00:00`; the fraction only where there is one.
    public var text: String {
        // From the date's own epoch: the step to 1970 would round a second time.
        let micros =
            Int((date.timeIntervalSinceReferenceDate * 1_000_000).rounded())
            + Int(Date.timeIntervalBetween1970AndReferenceDate) * 1_000_000
        let part = ((micros % 1_000_000) + 1_000_000) % 1_000_000
        let fraction = part == 0 ? "" : "." + String(1_000_000 + part).dropFirst()
        let second = Timestamp(Date(timeIntervalSince1970: Double((micros - part) / 1_000_000)))
        return "\(second.formatted("-", "T", ":"))\(fraction)+00:00"
    }

    /// `20250101_120000`.
    public var compact: String { formatted("", "_", "") }

    /// `2025-01-01 12:00:00`, for tables of times whose heading says UTC.
    public var forPeople: String { formatted("-", " ", ":") }

    /// Reads ISO 8601, with or without a fraction, a time and an offset; UTC where none is given.
    public init?(_ text: String) {
        if let date = Self.own(text) {
            self.date = date
            return
        }
        let pattern =
            /([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?)?\s*(Z|UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?/
        guard let match = text.wholeMatch(of: pattern) else { return nil }
        var parts = DateComponents()
        (parts.year, parts.month, parts.day) = (Int(match.1), Int(match.2), Int(match.3))
        parts.hour = match.4.flatMap { Int($0) } ?? 0
        parts.minute = match.5.flatMap { Int($0) } ?? 0
        parts.second = match.6.flatMap { Int($0) } ?? 0
        let calendar = Self.calendar
        guard parts.isValidDate(in: calendar), let date = calendar.date(from: parts) else {
            return nil
        }
        let fraction = match.7.flatMap { Double($0) } ?? 0
        self.date = date.addingTimeInterval(fraction - Self.offsetSeconds(match.8 ?? "Z"))
    }

    /// The last instant that a text means: of a second without a fraction its end.
    init?(endOf text: String) {
        guard let time = Timestamp(text) else { return nil }
        self = text.contains(".") ? time : Timestamp(time.date.addingTimeInterval(0.999_999))
    }

    /// Earlier first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.date < right.date }

    /// Reads what `encode` writes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let timestamp = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a time: \(text)")
        }
        self = timestamp
    }

    /// Writes `text`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// What `text` writes, read without the general pattern: a repository may hold many thousands of them.
    private static func own(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 25 || bytes.count == 32, text.hasSuffix("+00:00") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            range.reduce(into: 0 as Int?) { number, place in
                let digit = bytes[place] &- UInt8(ascii: "0")
                number = digit < 10 ? number.map { $0 * 10 + Int(digit) } : nil
            }
        }
        let isMarked =
            zip([4, 7, 10, 13, 16], "--T::".utf8).allSatisfy { bytes[$0] == $1 }
            && (bytes.count == 25 || bytes[19] == UInt8(ascii: "."))
        guard isMarked, let year = number(0..<4), let month = number(5..<7),
            let day = number(8..<10), let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19),
            let micros = bytes.count == 25 ? 0 : number(20..<26),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (
            Int32(year - 1900), Int32(month - 1), Int32(day)
        )
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
        let seconds = timegm(&parts)
        // A day that there is not would have become another one.
        guard parts.tm_mon == month - 1, parts.tm_mday == day else { return nil }
        // From the date's own epoch, as in `text`.
        let since = seconds - Int(Date.timeIntervalBetween1970AndReferenceDate)
        return Date(timeIntervalSinceReferenceDate: Double(since) + Double(micros) / 1_000_000)
    }

    private static var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }

    private static func offsetSeconds(_ offset: Substring) -> Double {
        let digits = offset.filter(\.isNumber)
        guard let hours = Double(digits.prefix(2)) else { return 0 }
        let minutes = Double(digits.dropFirst(2)) ?? 0
        return (hours * 3600 + minutes * 60) * (offset.first == "-" ? -1 : 1)
    }

    /// Without a formatter, which takes longer to make than to read a backup's metadata.
    private func formatted(
        _ dateSeparator: String, _ joint: String, _ timeSeparator: String
    ) -> String {
        var (seconds, parts) = (time_t(date.timeIntervalSince1970.rounded(.down)), tm())
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32, to count: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, count - digits.count)) + digits
        }
        let date = [
            padded(parts.tm_year + 1900, to: 4), padded(parts.tm_mon + 1), padded(parts.tm_mday),
        ]
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded($0) }
        return date.joined(separator: dateSeparator) + joint
            + time.joined(separator: timeSeparator)
    }
}
