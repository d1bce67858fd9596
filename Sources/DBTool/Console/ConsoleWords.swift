import BackupCore
import Foundation

/// The words of a console's line: quoted as in a shell, and nothing expanded but a leading `~`.
struct ConsoleWords {
    let words: [String]
    /// The quote that is open at the end.
    let openQuote: Unicode.Scalar?
    /// How many Unicode scalars stand before the last word.
    private(set) var lastStart = 0

    /// Whether a quote is open at the end.
    var isOpen: Bool { openQuote != nil }

    init(_ line: String) {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        func append(_ scalar: Unicode.Scalar) {
            if word == nil { word = .init() }
            word?.append(scalar)
        }
        var quote: Unicode.Scalar?
        var isEscaped = false
        // A quote under an accent is still a quote.
        for (offset, scalar) in line.unicodeScalars.enumerated() {
            let isBetween = word == nil
            switch (scalar, quote) {
            case _ where isEscaped:
                // Between double quotes a backslash is one, except before what it can protect.
                if quote == "\"", scalar != "\"", scalar != "\\" { append("\\") }
                append(scalar)
                isEscaped = false
            case ("\\", nil), ("\\", "\""):
                isEscaped = true
                word = word ?? .init()
            case ("'", nil), ("\"", nil):
                quote = scalar
                word = word ?? .init()
            case (_, .some(scalar)): quote = nil
            case (_, nil) where scalar.properties.isWhitespace:
                if let done = word { words.append(String(done)) }
                word = nil
            case ("~", nil) where word == nil: word = Self.home.unicodeScalars
            default: append(scalar)
            }
            if isBetween, word != nil { lastStart = offset }
        }
        if isEscaped { append("\\") }
        if let done = word { words.append(String(done)) }
        self.words = words
        openQuote = quote
    }

    /// How a word is written that is read as `text`.
    ///
    /// Behind a statement a server's grammar reads it too, and must find nothing open: no backslash stands within single
    /// quotes, and no double quote within double ones.
    static func quoted(_ text: String) -> String {
        guard !isPlain(text) else { return text }
        var quoted = String.UnicodeScalarView()
        var open: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            let quote: Unicode.Scalar = scalar == "'" || scalar == "\\" ? "\"" : "'"
            if quote != open {
                if let open { quoted.append(open) }
                quoted.append(quote)
                open = quote
            }
            if scalar == "\\" { quoted.append("\\") }
            quoted.append(scalar)
        }
        if let open { quoted.append(open) }
        return String(quoted)
    }

    /// Whether nothing in it has a meaning, here or to a server.
    private static func isPlain(_ text: String) -> Bool {
        !text.contains("--")
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.generalCategory == .decimalNumber
                    || "._-+,@%=:".unicodeScalars.contains($0)
            }
    }

    private static var home: String { ProcessInfo.processInfo.environment["HOME"] ?? "~" }
}
