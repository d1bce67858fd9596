import BackupCore
import Foundation
import Terminal

/// A report as a person reads it and as a program does.
protocol Report {
    /// For people.
    var lines: [String] { get }
    /// For programs: one document, with its line end.
    var json: [UInt8] { get }
}

/// A report whose document is written as it is encoded.
protocol Rendering: Report {
    associatedtype Document: Encodable
    /// For programs.
    var document: Document { get }
}

extension Rendering {
    var json: [UInt8] { JSONText.document(of: document) }
}

/// Where reports, errors and progress go: with `--json` one document on standard output, and
/// everything else on standard error.
///
/// The log learns of all that matters.
struct CommandOutput: Sendable {
    let isJSON: Bool
    /// The log that learns of it too; nil before there is one.
    var log: RunLog?
    private let line = ProgressLine()
    private let rows = SQLDocument { TerminalOutput.write($0) }

    init(isJSON: Bool) {
        self.isJSON = isJSON
    }

    /// Where the results of SQL go; nil for people.
    var sqlDocument: SQLDocument? { isJSON ? rows : nil }

    func show(_ report: some Report) {
        if let logged = report as? any LoggedRendering { log?.note(logged.logResult) }
        // A report must not begin behind the progress line, nor be overwritten by it.
        line.end()
        guard isJSON else {
            report.lines.forEach { TerminalOutput.print(line: $0) }
            return
        }
        _ = TerminalOutput.write(report.json)
    }

    func fail(_ error: BackupError) {
        // There is one document: one that has begun ends with the error.
        if isJSON, !rows.end(with: ErrorContent(error)) {
            _ = TerminalOutput.write(JSONText.document(of: ErrorDocument(error: .init(error))))
        }
        let style = TextStyle.error
        var lines = ["\(style.bad("error:")) \(Self.visible(error.message))"]
        if let underlying = error.underlying, !underlying.isEmpty {
            lines += underlying.split(separator: "\n").map { "  \(VisibleText.of(String($0)))" }
        }
        if let hint = error.hint {
            lines.append("\(style.doubtful("hint:")) \(Self.visible(hint))")
        }
        TerminalOutput.printError(lines.map { "\($0)\n" }.joined())
    }

    /// Runs `body` and shows how far it has come.
    func showingProgress<Result>(
        _ body: (OperationProgress) async throws -> Result
    ) async rethrows -> Result {
        let progress = OperationProgress(
            notes: { note in
                line.print(Self.emphasized(Self.visible(note)))
                log?.note(note)
            },
            phases: { phase in
                line.begin(phase: phase)
                log?.begin(phase: phase)
            })
        let drawing = Task {
            var text = ProgressText()
            while !Task.isCancelled {
                let reading = progress.current
                let details = text.details(of: reading, at: .now)
                if reading.phase.isEmpty {
                    line.clear()
                } else {
                    line.show(
                        phase: reading.phase, details: details,
                        subject: ProgressText.subject(of: reading))
                }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        defer {
            drawing.cancel()
            line.end()
        }
        return try await body(progress)
    }

    /// Several lines stay several; what a server says cannot command the terminal.
    static func visible(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { VisibleText.of(String($0)) }.joined(separator: "\n")
    }

    private static func emphasized(_ note: String) -> String {
        let mark = "warning:"
        guard note.hasPrefix(mark) else { return note }
        return TextStyle.error.doubtful(mark) + note.dropFirst(mark.count)
    }

    /// An error for programs.
    struct ErrorContent: Encodable {
        let code: String
        let message: String
        let hint: String?

        init(_ error: BackupError) {
            code = error.code.rawValue
            message = error.message
            hint = error.hint
        }
    }

    private struct ErrorDocument: Encodable {
        let error: ErrorContent
    }
}
