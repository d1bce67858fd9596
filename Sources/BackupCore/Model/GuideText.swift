/// Pieces of shell and Markdown for `RESTORE.md`, in which names are whatever somebody has called a table: nothing in
/// them ends what they stand in.
public enum GuideText {
    /// One word of the shell.
    public static func quoted(_ text: String) -> String {
        "'\(text.replacing(scalar: "'", with: "'\\''"))'"
    }

    /// A word as it is where it is plain, else quoted.
    public static func word(_ text: String) -> String {
        text.utf8.allSatisfy(FileNaming.isPlain) && !text.isEmpty ? text : quoted(text)
    }

    /// Lines as the standard input of a command.
    public static func input(_ lines: String) -> String {
        let all = Set(lines.utf8.split(separator: 0x0A).map { Array($0) })
        var end = "SQL"
        while all.contains(Array(end.utf8)) { end += "_" }
        return "<<'\(end)'\n\(lines)\n\(end)"
    }

    /// A block of shell.
    public static func block(_ lines: String) -> String {
        var fence = "```"
        while lines.contains(fence) { fence += "`" }
        return "\(fence)sh\n\(lines)\n\(fence)"
    }

    /// A name within a sentence.
    public static func name(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.value < 0x20 || $0 == "`" || $0 == "\u{7F}" ? "?" : $0
                }))
    }
}
