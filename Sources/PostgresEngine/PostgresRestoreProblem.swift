/// One thing that pg_restore could not make.
struct PostgresRestoreProblem: Sendable, CustomStringConvertible {
    /// Kind, schema, name and owner: `FK CONSTRAINT public orders_fkey shop`.
    let entry: String
    /// The server's words.
    let words: String

    /// Newer programs switch off what older servers do not have.
    static let harmless = "Command was: SET transaction_timeout"

    var description: String { entry.isEmpty ? words : "\(entry): \(words)" }

    /// The failures among pg_restore's messages, with what belongs to each, and not endless.
    static func complaints(in messages: String) -> String {
        var lines: [Substring] = []
        var isFailure = false
        for line in messages.split(separator: "\n") {
            if line.hasPrefix("pg_restore:") { isFailure = line.hasPrefix("pg_restore: error:") }
            if isFailure { lines.append(line) }
        }
        return lines.prefix(40).joined(separator: "\n")
    }

    /// Whether the connection to the server was lost, or could not be had.
    ///
    /// These are libpq's own words, which are in English here. What a server says is in its language, and without a code.
    static func tellOfLostConnection(_ messages: String) -> Bool {
        var isCommand = false
        return messages.split(separator: "\n").contains { line in
            // A command that failed is printed in full, whatever it says.
            if line.hasPrefix("Command was:") { isCommand = true }
            if line.hasPrefix("pg_restore:") { isCommand = false }
            return !isCommand
                && line.starts(
                    with:
                        /(pg_restore: error: ([a-zA-Z ]+: )?)?(server closed the connection unexpectedly|connection to server )/
                )
        }
    }

    /// The archive's numbers of what failed; only with one job does each stand with its error, and at the beginning of
    /// its line.
    static func entries(in messages: String) -> Set<Int> {
        Set(
            messages.split(separator: "\n").compactMap { line in
                line.firstMatch(of: /from TOC entry (\d+);/).flatMap { Int($0.1) }
            })
    }

    /// Reads pg_restore's messages.
    static func all(in messages: String) -> [PostgresRestoreProblem] {
        var problems: [PostgresRestoreProblem] = []
        var entry = ""
        for line in messages.split(separator: "\n") {
            if line.hasPrefix(harmless) {
                if !problems.isEmpty { problems.removeLast() }
            } else if let match = line.firstMatch(of: /from TOC entry \d+; \d+ \d+ (.*)$/) {
                entry = String(match.1)
            } else if let match = line.firstMatch(
                of: /pg_restore: error: (?:could not execute query: )?(?:ERROR: +)?(.*)$/)
            {
                problems.append(PostgresRestoreProblem(entry: entry, words: String(match.1)))
            }
        }
        return problems
    }
}
