import BackupTesting
import Testing

/// What `dbtool check --json` said.
struct Checked {
    let end: ProgramEnd
    let report: JSON

    /// The findings about a subject.
    subscript(subject: String) -> [JSON] {
        report["findings"].items.filter { $0["subject"].string == subject }
    }

    /// The severities of the findings about a subject.
    func severities(_ subject: String) -> [String] {
        self[subject].compactMap(\.["severity"].string)
    }

    /// The texts of the findings about a subject.
    func text(_ subject: String) -> String {
        self[subject].compactMap(\.["text"].string).joined(separator: "\n")
    }

    /// All lines of all fixes of at least a severity, as they are printed.
    func fixes(_ severities: Set<String> = ["problem", "warning"]) -> String {
        report["findings"].items
            .filter { severities.contains($0["severity"].string ?? "") }
            .flatMap { $0["fix"].items.compactMap(\.string) }.joined(separator: "\n")
    }

    /// The lines of the fixes of a subject.
    func fix(of subject: String) -> [String] {
        self[subject].flatMap { $0["fix"].items.compactMap(\.string) }
    }

    /// The subjects of a severity.
    func subjects(_ severity: String) -> [String] {
        report["findings"].items.filter { $0["severity"].string == severity }
            .compactMap(\.["subject"].string)
    }

    /// Expects an exit code, and that a backup would be made exactly when it is 0.
    func expect(code: Int32, location: SourceLocation = #_sourceLocation) {
        #expect(end.code == code, "\(end)", sourceLocation: location)
        #expect(report["would_succeed"].boolean == (code == 0), sourceLocation: location)
    }
}

extension Workbench {
    /// Runs `dbtool check --json`.
    func check(
        _ database: TestDatabase, _ words: [String] = [], as user: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> Checked {
        let end = try await dbtool(
            ["check", "--json", "-path", repository] + connection(to: database.server, as: user)
                + ["--database", database.name] + words, environment: environment)
        return Checked(end: end, report: try JSON(parsing: end.output))
    }
}

extension MySQLBench {
    /// Runs `dbtool check --json`.
    func check(_ words: [String] = [], as user: String = "root") async throws -> Checked {
        let end = try await dbtool(
            ["check", "--json", "-path", repository, "--database", source.name] + words, as: user)
        return Checked(end: end, report: try JSON(parsing: end.output))
    }
}
