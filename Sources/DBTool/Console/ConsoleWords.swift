import BackupCore
import Foundation

/// The words of a console's line: quoted as in a shell, and nothing expanded but a leading `~`.
struct ConsoleWords {
    let words: [String]
    /// Whether a quote is open at the end.
    let isOpen: Bool

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
        for scalar in line.unicodeScalars {
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
        }
        if isEscaped { append("\\") }
        if let done = word { words.append(String(done)) }
        self.words = words
        isOpen = quote != nil
    }

    private static var home: String { ProcessInfo.processInfo.environment["HOME"] ?? "~" }
}
