public import BackupCore

/// Attacks how a product's SQL is divided into statements.
public struct HostileSQL: Sendable {
    /// For the table of results.
    private let name: String
    /// What texts are made of.
    private let pieces: [String]
    /// All tokens of a text.
    private let tokens: @Sendable (String) -> [[UInt8]]
    /// What of a text the server reads, without what divides statements and the end of what is open.
    private let code: @Sendable (String) -> [[UInt8]]
    /// The statements of a text, and whether the last one has no end yet.
    private let statements: @Sendable (String) -> (all: [String], isOpen: Bool)
    /// What a console asks line by line.
    private let lines: @Sendable () -> any SQLStatementLines

    /// Says how a product does it.
    public init(
        _ name: String, pieces: [String],
        tokens: @escaping @Sendable (String) -> [[UInt8]],
        code: @escaping @Sendable (String) -> [[UInt8]],
        statements: @escaping @Sendable (String) -> (all: [String], isOpen: Bool),
        lines: @escaping @Sendable () -> any SQLStatementLines
    ) {
        (self.name, self.pieces, self.tokens, self.code) = (name, pieces, tokens, code)
        (self.statements, self.lines) = (statements, lines)
    }

    /// Tries texts; of each no byte may be lost, and line by line its statements must be those of the whole.
    ///
    /// `check`: What else is wrong about the statements of a text.
    public func run(check: (_ statements: [String]) -> [String] = { _ in [] }) async throws {
        try await Attack(name).run(tries: Attack.tries * 200) { _, random in
            let text = (0..<Int.random(in: 0...25, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined(separator: Bool.random(using: &random) ? " " : "")
            let whole = statements(text)
            var broken = check(whole.all)
            if tokens(text).flatMap(\.self) != Array(text.utf8) { broken.append("tokens") }
            if whole.all.flatMap(code) != code(text) { broken.append("statements \(whole.all)") }
            let read = lineByLine(text)
            if read.statements.map(code) != whole.all.map(code) {
                broken.append("line by line \(read.statements), at once \(whole.all)")
            }
            if read.isOpen != whole.isOpen {
                broken.append("open: \(read.isOpen), at once \(whole.isOpen)")
            }
            return broken.map { "\(text.debugDescription): \($0)" }
        }
    }

    /// As a console reads them.
    private func lineByLine(_ text: String) -> (statements: [String], isOpen: Bool) {
        var found: [String] = []
        var (lines, read): (any SQLStatementLines, [Substring]) = (lines(), [])
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.add(String(line))
            read.append(line)
            guard lines.endsStatement, !lines.isOpen else { continue }
            found += statements(read.joined(separator: "\n")).all
            (lines, read) = (self.lines(), [])
        }
        return (found + statements(read.joined(separator: "\n")).all, lines.isOpen)
    }
}
