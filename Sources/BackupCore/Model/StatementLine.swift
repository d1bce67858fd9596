/// A statement of somebody else as a person is shown it, in one line.
package enum StatementLine {
    /// The statement, or why it is not shown.
    package static func shown(_ statement: String) -> String {
        guard !SecretText.mayBe(in: statement) else { return "its statement may hold a password" }
        return line(of: statement)
    }

    /// Without line ends and control characters, cut to 80 characters.
    package static func line(of text: String) -> String {
        let plain = text.unicodeScalars.map { scalar -> Character in
            let isControl = scalar.properties.generalCategory == .control
            return isControl || scalar.properties.isWhitespace ? " " : Character(scalar)
        }
        let words = String(plain).split(separator: " ").joined(separator: " ")
        return words.count > 80 ? "\(words.prefix(79))…" : words
    }
}
