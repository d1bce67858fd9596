import BackupTesting
import Foundation

/// A password that stands nowhere else: letters, something odd, and letters again.
///
/// Whatever is quoted, escaped or percent-encoded is what is odd: the letters stay, and tell each of these forms. Alphabets in
/// which they look otherwise are looked for by themselves.
struct CampaignSecret: Sendable {
    let text: String
    /// Its first letters.
    let head: String
    private let tail: String

    /// What breaks at quotes, in URLs, in shells and in files of settings.
    static let anything = Array(":/@ '\"\\%41ü$&;#=?`.{}<>|*,+-")
    /// What every file of options takes as it is.
    static let plain = Array(":/@%,.$&+-")

    /// `odd`: What may be between its letters.
    init(of odd: [Character], _ random: inout SeededGenerator) {
        func letters() -> String {
            String((0..<16).map { _ in Character(Self.letter(&random)) })
        }
        (head, tail) = (letters(), letters())
        let between = (0..<Int.random(in: 1...8, using: &random)).map { _ in
            odd[Int.random(in: odd.indices, using: &random)]
        }
        text = head + String(between) + tail
    }

    private static func letter(_ random: inout SeededGenerator) -> Unicode.Scalar {
        Unicode.Scalar(UInt8.random(in: 0x61...0x7A, using: &random))
    }

    /// As it stands in a URL.
    var percentEncoded: String { Self.percentEncoded(text) }

    /// A text as it stands in a URL: everything that is no letter and no digit by its bytes.
    static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber)
            return isPlain ? String(character) : "%" + hex(byte).uppercased()
        }.joined()
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    /// Whatever has one of these in it has the secret, in one form or another.
    var forms: [String] {
        let hex = head.utf8.map(Self.hex).joined()
        return [head, tail, hex, hex.uppercased()] + base64
    }

    /// As base64 has its letters, behind nothing, one byte and two.
    private var base64: [String] {
        (0..<3).map { before in
            let bytes = Array(repeating: UInt8(0), count: before) + Array(head.utf8)
            // The first signs have something of what is before, the last of what follows.
            return String(
                Data(bytes).base64EncodedString().dropFirst(before == 0 ? 0 : before + 1)
                    .prefix(18))
        }
    }

    /// Whether some bytes have it in them.
    func isIn(_ bytes: [UInt8]) -> Bool {
        let data = Data(bytes)
        return forms.contains { data.range(of: Data($0.utf8)) != nil }
    }
}
