/// The letters that the values of a column consist of, as far as they are known, for guesses at what is between two.
struct MySQLLetters: Sendable {
    /// How many bytes a letter has.
    enum Width: Sendable, Equatable {
        case utf8
        case bytes(Int)
    }

    private let width: Width
    /// Whether a letter stands where its lower case does.
    private let foldsCase: Bool
    private var letters: Set<UInt32> = []
    private static let most = 4096
    /// So many letters behind what two values have in common are guessed.
    private static let depth = 6

    init(of order: MySQLKeyOrder) {
        guard case .text(let characterSet, let collation) = order else {
            (width, foldsCase) = (.bytes(1), false)
            return
        }
        width =
            switch characterSet {
            case "utf8mb4", "utf8mb3", "utf8": .utf8
            case "ucs2", "utf16", "utf16le": .bytes(2)
            case "utf32": .bytes(4)
            default: .bytes(1)
            }
        foldsCase = !collation.hasSuffix("_bin")
    }

    /// Takes note of a value, given the hexadecimal digits of its bytes.
    mutating func insert(_ value: String) {
        for letter in letters(of: value) where letters.count < Self.most { letters.insert(letter) }
    }

    /// The hexadecimal digits of a value about in the middle, the letters being the digits of a number.
    func middle(_ lower: String, _ upper: String) -> String? {
        let (low, high) = (letters(of: lower), letters(of: upper))
        let alphabet = letters.union(low).union(high).sorted()
        let places = Dictionary(
            uniqueKeysWithValues: alphabet.enumerated().map { ($1, $0 + 1) })
        let common = zip(low, high).prefix { $0 == $1 }.count
        func digits(_ value: [UInt32]) -> [Int] {
            (common..<common + Self.depth).map { $0 < value.count ? places[value[$0]] ?? 0 : 0 }
        }
        // Zero is the end of a value, the others are letters.
        let base = alphabet.count + 1
        var (sum, carry) = ([Int](), 0)
        for (one, other) in zip(digits(low), digits(high)).reversed() {
            let (tens, ones) = (one + other + carry).quotientAndRemainder(dividingBy: base)
            (carry, sum) = (tens, [ones] + sum)
        }
        var middle: [Int] = []
        for digit in sum {
            middle.append((carry * base + digit) / 2)
            carry = (carry * base + digit) % 2
        }
        while middle.last == 0 { middle.removeLast() }
        guard !middle.isEmpty else { return nil }
        // No value goes on behind its end.
        let rest = middle.map { alphabet[max($0, 1) - 1] }
        return hexadecimal(Array(low.prefix(common)) + rest)
    }

    private func letters(of value: String) -> [UInt32] {
        let bytes = Self.bytes(value)
        let letters: [UInt32] =
            switch width {
            case .utf8: String(decoding: bytes, as: UTF8.self).unicodeScalars.map(\.value)
            case .bytes(let count):
                stride(from: 0, to: bytes.count, by: count).map { start in
                    bytes[start..<min(start + count, bytes.count)].reduce(0) {
                        $0 << 8 | UInt32($1)
                    }
                }
            }
        return foldsCase ? letters.map(Self.lowercased) : letters
    }

    private func hexadecimal(_ letters: [UInt32]) -> String {
        let bytes: [UInt8] =
            switch width {
            case .utf8:
                Array(
                    String(String.UnicodeScalarView(letters.compactMap(Unicode.Scalar.init))).utf8)
            case .bytes(let count):
                letters.flatMap { letter in
                    (1...count).map { UInt8(truncatingIfNeeded: letter >> (8 * (count - $0))) }
                }
            }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        let nibbles = digits.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        return stride(from: 0, to: nibbles.count - 1, by: 2).map {
            UInt8(nibbles[$0] << 4 | nibbles[$0 + 1])
        }
    }

    private static func lowercased(_ letter: UInt32) -> UInt32 {
        Unicode.Scalar(letter)?.properties.lowercaseMapping.unicodeScalars.first?.value ?? letter
    }
}
