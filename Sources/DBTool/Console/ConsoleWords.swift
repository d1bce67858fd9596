import BackupCore
import Foundation

/// The words of a console's line: quoted as in a shell, and nothing expanded but a leading `~`.
struct ConsoleWords {
    let words: [String]
    /// Whether a quote is open at the end.
    let isOpen: Bool

    init(_ line: String) {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            switch (character, quote) {
            case _ where isEscaped:
                // Between double quotes a backslash is one, except before what it can protect.
                if quote == "\"", character != "\"", character != "\\" { word?.append("\\") }
                word = (word ?? "") + String(character)
                isEscaped = false
            case ("\\", nil), ("\\", "\""):
                isEscaped = true
                word = word ?? ""
            case ("'", nil), ("\"", nil):
                quote = character
                word = word ?? ""
            case (_, .some(character)): quote = nil
            case (_, nil) where character.isWhitespace:
                if let done = word { words.append(done) }
                word = nil
            case ("~", nil) where word == nil: word = Self.home
            default: word = (word ?? "") + String(character)
            }
        }
        if isEscaped { word?.append("\\") }
        if let done = word { words.append(done) }
        self.words = words
        isOpen = quote != nil
    }

    private static var home: String { ProcessInfo.processInfo.environment["HOME"] ?? "~" }
}
