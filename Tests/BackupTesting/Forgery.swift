import Foundation

/// How bytes are made wrong by somebody who knows what they are.
public enum Forgery: CaseIterable {
    case flip, cut, repeated, inserted, number, text, nesting

    /// Any of those that fit.
    public static func random(forText isText: Bool, _ random: inout SeededGenerator) -> Forgery {
        let all: [Forgery] = isText ? allCases : [.flip, .cut, .repeated, .inserted]
        return all.randomElement(using: &random) ?? .flip
    }

    /// Does it, once, somewhere.
    public func apply(to bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard let place = bytes.indices.randomElement(using: &random) else { return }
        let end = Int.random(in: place...bytes.count, using: &random)
        switch self {
        case .flip: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case .cut: bytes.removeSubrange(place..<end)
        case .repeated: bytes.insert(contentsOf: bytes[place..<min(end, place + 300)], at: place)
        case .inserted:
            bytes.insert(
                contentsOf: (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) },
                at: place)
        case .number:
            replace(/\d+/, in: &bytes, with: Self.numbers, &random)
        case .text:
            replace(/"[^"]*"/, in: &bytes, with: Self.texts, &random)
        case .nesting:
            bytes.insert(contentsOf: Array(repeating: UInt8(ascii: "["), count: 20_000), at: place)
        }
    }

    private static let numbers = [
        "-1", "0", "1", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "4294967296", "1e300", "1e-7", "00", "18446744073709551615",
    ]
    private static let texts = [
        "\"\"", "\"../../outside\"", "\"/etc/passwd\"", "\"a\\u0000b\"", "\"\\u001b[2J\"", "null",
        "{}", "[]",
        "\"data/items.csv\"", "\"metadata.json\"", "\"index/items.rows.zst\"", "\"id\"",
        "\"whole\"", "\"changes\"",
        "\"dropped\"", "\"unchanged\"", "\"incremental\"", "\"full\"", "\"9999-12-31T23:59:59Z\"",
        "\"\\ud800\"",
    ]

    private func replace(
        _ pattern: Regex<Substring>, in bytes: inout [UInt8], with words: [String],
        _ random: inout SeededGenerator
    ) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let range = text.ranges(of: pattern).randomElement(using: &random),
            let word = words.randomElement(using: &random)
        else { return }
        bytes = Array(text.replacingCharacters(in: range, with: word).utf8)
    }
}
