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

    /// The chapter about what rests on a full.
    ///
    /// `structure`: The file that makes tables; `when`: At which moment rows are changed, in whole sentences; `commands`:
    ///   Shell that changes one table as an example.
    public static func changes(
        structure: String, when: String, table: String, _ commands: String
    ) -> String {
        """

        ## What changed since

        Differentials and incrementals of this backup lie in `.backup_diff`, a folder each. Their
        `metadata.json` says what each rests on (`parent_id`); a differential rests on this backup alone. To
        bring a restored database to one of them, take the folders on the way to it, the oldest first, and
        in each every table of its `metadata.json` by its `mode`:

        - `unchanged`: nothing is to be done. `dropped`: the table is gone.
        - `whole`: empty the table, or make it by the `\(structure)` of that folder, and load its file.
        - `changes`: delete the rows whose keys are in the file of tombstones (`deleted_file`) or in the
          file of rows (`file`), then load the file of rows. Either may be missing.

        \(when)

        For `changes` of `\(name(table))` these lines do it, with the folder in `point`:

        \(block(commands))

        """
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
