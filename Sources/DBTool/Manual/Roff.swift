/// Text as man pages have it.
///
/// - SeeAlso: man(7), groff_char(7).
enum Roff {
    /// Words in the running font: what roff would take for commands is escaped.
    static func text(_ words: String) -> String {
        let lines = words.split(separator: "\n", omittingEmptySubsequences: false).flatMap {
            wrapped($0.split(separator: " ").map { escaped(String($0)) })
        }
        return lines.map { ".'".contains($0.first ?? " ") ? "\\&\($0)" : $0 }
            .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    static func bold(_ words: String) -> String { "\\fB\(escaped(words))\\fR" }

    static func italic(_ words: String) -> String { "\\fI\(escaped(words))\\fR" }

    static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
            }
        }
    }

    /// Programs that read roff complain about long lines.
    private static func wrapped(_ words: [String]) -> [String] {
        var lines = [""]
        for word in words {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = word
            } else if last.count + word.count < 78 {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(word)
            }
        }
        return lines
    }
}
