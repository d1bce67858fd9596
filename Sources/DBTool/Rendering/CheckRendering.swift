import BackupCore
import Foundation
import Terminal

/// The result of `check`: findings by area, then what to do, problems first.
struct CheckRendering: Rendering {
    struct Document: Encodable {
        let database: String?
        let would_succeed: Bool
        let findings: [Finding]
        let error: CommandOutput.ErrorContent?
    }

    private let report: CheckReport

    init(_ report: CheckReport) {
        self.report = report
    }

    var document: Document {
        Document(
            database: report.database, would_succeed: report.wouldSucceed,
            findings: report.findings, error: report.failure.map { CommandOutput.ErrorContent($0) })
    }

    var lines: [String] {
        Finding.Area.allCases.flatMap(lines) + remedies + [verdict]
    }

    private func lines(of area: Finding.Area) -> [String] {
        let findings = report.findings.filter { $0.area == area }
        guard !findings.isEmpty else { return [] }
        let width = report.findings.map(\.subject.count).max() ?? 0
        return [area.rawValue]
            + findings.map { finding in
                let space = String(repeating: " ", count: width - finding.subject.count)
                return
                    "  \(Self.mark(finding.severity))  \(finding.subject)\(space)  "
                    + Self.line(finding.text)
            } + [""]
    }

    /// All marks are equally wide.
    private static func mark(_ severity: Finding.Severity) -> String {
        switch severity {
        case .ok: "ok     "
        case .note: "note   "
        case .warning: "warning"
        case .problem: "PROBLEM"
        }
    }

    // MARK: What to do

    private var remedies: [String] {
        [.problem, .warning, .note].flatMap(remedies)
    }

    private func remedies(for severity: Finding.Severity) -> [String] {
        report.findings.filter { $0.severity == severity && !$0.fix.isEmpty }.flatMap { finding in
            ["-- \(severity.rawValue): \(finding.subject): \(Self.line(finding.text))"]
                + finding.fix.map { $0.hasPrefix("--") ? Self.line($0) : CommandOutput.visible($0) }
                + [""]
        }
    }

    /// One line, whatever names are in it: behind a line end a comment would be a statement.
    static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let ends = CharacterSet.newlines.union(.controlCharacters).contains(scalar)
                    return ends ? " " : scalar
                }))
    }

    /// The last line.
    var verdict: String {
        let problems = report.findings.count { $0.severity == .problem }
        let warnings = report.findings.count { $0.severity == .warning }
        if report.failure != nil { return "the source could not be checked" }
        guard problems == 0 else {
            return "a backup would fail: \(problems) problem\(problems == 1 ? "" : "s")"
        }
        guard warnings > 0 else { return "a backup would be made" }
        let condition = report.mayLackSpace ? ", if it fits" : ""
        return "a backup would be made\(condition); \(warnings) warning\(warnings == 1 ? "" : "s")"
    }
}
