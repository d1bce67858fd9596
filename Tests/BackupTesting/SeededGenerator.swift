/// Random numbers that one seed repeats: SplitMix64.
///
/// A property test takes `seeds(count:)` and puts the seed into the words of each expectation, so
/// that a failure can be repeated.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The same seed gives the same numbers.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Seeds that differ from run to run.
    public static func seeds(count: Int) -> [UInt64] {
        (0..<count).map { _ in UInt64.random(in: 0...UInt64.max) }
    }

    /// A text of characters that are likely to break something.
    public mutating func text(maximumLength: Int) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "Z", "0", " ", ",", "\"", "\n", "\r", "\\", ".", "N", "'", ";", "%", "/", "\t",
            "é", "ß", "日", "😀", "\u{301}", "\u{0}", "\u{FEFF}", "\u{2028}",
        ]
        let length = Int.random(in: 0...maximumLength, using: &self)
        var text = ""
        for _ in 0..<length {
            text.unicodeScalars.append(alphabet.randomElement(using: &self) ?? "a")
        }
        return text
    }
}
