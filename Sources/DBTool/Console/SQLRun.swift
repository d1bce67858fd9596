import BackupCore
import Foundation
import Terminal

/// Runs SQL that a person typed: what reads at once, what may write with consent only.
struct SQLRun {
    let session: any SQLSession
    let allowsWrites: Bool
    /// Whether somebody can be asked.
    let isInteractive: Bool
    /// Where everything that belongs on standard output goes; nil for people.
    var document: SQLDocument?

    /// Runs the statements of a line, one by one, and shows what they give.
    ///
    /// - Returns: How many were not run because nobody consented.
    /// - Throws: `BackupError`, naming the statement that the server refused and where.
    func run(_ options: SQLOptions) async throws -> Int {
        var skipped = 0
        let statements = session.statements(in: options.text)
        var lines = session.lines()
        lines.add(options.text)
        guard !lines.isOpen else {
            throw BackupError(
                .usage, "a quote, comment or parenthesis is open at the end of the statement")
        }
        guard !statements.isEmpty else {
            throw BackupError(.usage, "there is no statement", hint: "SQL SELECT * FROM a_table")
        }
        // Who names a format has rows and nothing else.
        let document = options.format == nil || options.extracts ? document : nil
        for statement in statements {
            try Task.checkCancellation()
            do {
                guard try await !run(statement, options, document) else { continue }
                skipped += 1
                // What follows on the line may rest on what was declined.
                if isInteractive { break }
            } catch let failure as SQLFailure {
                var error = SQLErrorText(failure, statement).error
                // It shows where in the statement, and that into the log as well.
                if SecretText.mayBe(in: statement) { error.underlying = nil }
                throw error
            }
        }
        document?.end()
        return skipped
    }

    /// False when it was not run.
    private func run(
        _ statement: String, _ options: SQLOptions, _ document: SQLDocument?
    ) async throws -> Bool {
        let start = ContinuousClock.now
        if options.extracts {
            let target = ExtractTarget(options, statement)
            let isRead = try await target.write { sink in
                try await session.read(statement, into: sink) != nil
            }
            if let isRead {
                note(
                    "\(isRead.path): \(Self.rows(isRead.rows)), "
                        + "\(ByteText(isRead.bytes)), \(Self.time(since: start))")
                document?.add(file: isRead.path, rows: isRead.rows, bytes: isRead.bytes)
                return true
            }
            throw BackupError(
                .usage, "only what reads can be extracted: \(Self.short(statement))",
                hint: "Run it without -extract.")
        }
        do {
            let outcome = try await showing(options, document) {
                try await session.read(statement, into: $0)
            }
            if let outcome {
                tell(outcome, document, since: start)
                return true
            }
        } catch is NobodyReads {
            if isInteractive { note("left, \(Self.time(since: start))") }
            return true
        }
        guard try await isAllowed(statement) else {
            document?.add(skipped: Self.short(statement))
            return false
        }
        let begin = ContinuousClock.now
        do {
            let outcome = try await showing(options, document, toTheEnd: true) {
                try await session.write(statement, into: $0)
            }
            tell(outcome, document, since: begin)
            return true
        } catch is CancellationError {
            throw BackupError(
                .interrupted, "interrupted; what the statement had committed by then stays")
        }
    }

    /// `toTheEnd`: Whether the statement goes on although nobody reads what it returns: leaving the pager
    /// must not take back what it writes.
    private func showing<Outcome>(
        _ options: SQLOptions, _ document: SQLDocument?, toTheEnd: Bool = false,
        _ body: (any SQLSink) async throws -> Outcome
    ) async throws -> Outcome {
        if let document {
            let sink = DocumentSink(document) { bytes in
                guard document.add(rows: bytes) || toTheEnd else { throw NobodyReads() }
            }
            let outcome = try await body(sink)
            try await sink.end()
            return outcome
        }
        if let format = options.format, format != .table {
            let sink = RecordSink(format) { bytes in
                guard TerminalOutput.write(bytes) || toTheEnd else { throw NobodyReads() }
            }
            let outcome = try await body(sink)
            if await sink.hasBegun { try await sink.end() }
            return outcome
        }
        let paged = PagedOutput(mayPage: isInteractive)
        defer { paged.end() }
        let sink = TableSink(width: TerminalOutput.outputWidth, style: paged.style) { line in
            guard paged.write(line) || toTheEnd else { throw NobodyReads() }
        }
        let outcome = try await body(sink)
        try await sink.end()
        return outcome
    }

    /// Somebody left the pager, or standard output takes no more.
    private struct NobodyReads: Error {}

    private func tell(
        _ outcome: SQLOutcome, _ document: SQLDocument?, since start: ContinuousClock.Instant
    ) {
        let words: String
        switch outcome {
        case .rows(let count): words = Self.rows(count)
        case .done(let tag):
            words = tag
            document?.add(done: tag)
        }
        note("\(words), \(Self.time(since: start))")
    }

    /// On a terminal beside the rows; elsewhere only rows are on standard output.
    private func note(_ text: String) { TerminalOutput.printError("\(text)\n") }

    private static func rows(_ count: Int) -> String {
        "\(NumberText.grouped(count)) \(count == 1 ? "row" : "rows")"
    }

    private static func time(since start: ContinuousClock.Instant) -> String {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        let all = Double(seconds) + Double(attoseconds) / 1e18
        return all < 1 ? "\(Int(all * 1000)) ms" : NumberText.duration(seconds: all)
    }

    /// Shows what the server remarks.
    static func notice(_ text: String) {
        TerminalOutput.printError(
            text.split(separator: "\n").map { "\(VisibleText.of(String($0)))\n" }.joined())
    }

    // MARK: Consent

    /// A statement that was prepared may be any of these.
    private static let alwaysAsked: Set<String> = [
        "DROP", "DELETE", "TRUNCATE", "ALTER", "EXECUTE",
    ]

    private func isAllowed(_ statement: String) async throws -> Bool {
        guard isInteractive else {
            if !allowsWrites {
                note("skipped: \(Self.short(statement)) (it may write; --allow-writes runs it)")
            }
            return allowsWrites
        }
        let forecast = await session.forecast(of: statement)
        try Task.checkCancellation()
        guard !allowsWrites || forecast.words.contains(where: Self.alwaysAsked.contains) else {
            return true
        }
        let rows = forecast.rows.map { ", about \(Self.rows($0))" } ?? ""
        let question = "\(forecast.verb) may write\(rows). Run it? [y/N] "
        let answer = TerminalOutput.ask(question)?.lowercased() ?? ""
        try Task.checkCancellation()
        guard ["y", "yes"].contains(answer) else {
            note("not run")
            return false
        }
        return true
    }

    private static func short(_ statement: String) -> String {
        guard !SecretText.mayBe(in: statement) else {
            return "a statement that may hold a password"
        }
        let line = VisibleText.of(
            statement.split(whereSeparator: \.isWhitespace).joined(separator: " "))
        return line.count > 80 ? "\(line.prefix(79))…" : line
    }
}

/// The file that the rows of a statement are extracted to.
struct ExtractTarget {
    private let folder: String
    private let stem: String
    private let format: RowFormat

    init(_ options: SQLOptions, _ statement: String) {
        folder =
            options.path.map(HomeFolder.expanded) ?? FileManager.default.currentDirectoryPath
        let format = options.format ?? .csv
        self.format = format == .table ? .csv : format
        let table = statement.firstMatch(of: /(?i)\bfrom\s+("[^"]+"|[\w.]+)/)?.output.1 ?? "query"
        let safe = table.unicodeScalars.filter {
            ($0.isASCII && $0.properties.isAlphabetic) || ("0"..."9").contains($0)
                || $0 == "_" || $0 == "."
        }
        let name = String(String.UnicodeScalarView(safe).prefix(80)).drop { $0 == "." }
        stem = "\(name.isEmpty ? "query" : name)_\(Timestamp.now.compact)"
    }

    /// Writes what `body` gives; nil, and no file, when that returns false.
    func write(
        _ body: (any SQLSink) async throws -> Bool
    ) async throws -> (path: String, rows: Int, bytes: Int)? {
        struct NotWanted: Error {}
        let storage = LocalStorage(path: folder, locksWrites: true)
        // What killed runs have left is in nobody's way, and a folder that is not there has none of it.
        try? await storage.removeUnlockedWrites(in: nil, where: Self.isExtract)
        let name = try freeName(in: storage)
        let counts = Exclusive((rows: 0, bytes: 0))
        do {
            try await storage.write(name) { writer in
                let sink = RecordSink(format) { try await writer.write($0) }
                guard try await body(sink) else { throw NotWanted() }
                try await sink.end()
                let (rows, bytes) = (await sink.rowCount, await sink.byteCount)
                counts.withValue { $0 = (rows, bytes) }
            }
        } catch is NotWanted {
            return nil
        }
        let (rows, bytes) = counts.withValue { $0 }
        return ("\(storage.location)/\(name)", rows, bytes)
    }

    /// Whether a file's name is one of those that are given here.
    private static func isExtract(_ name: String) -> Bool {
        name.wholeMatch(of: /.+_[0-9]{8}_[0-9]{6}(?:_[0-9]+)?\.(?:csv|jsonl?)/) != nil
    }

    private func freeName(in storage: LocalStorage) throws -> StorageName {
        var (file, number) = ("\(stem).\(format.rawValue)", 2)
        while FileManager.default.fileExists(atPath: "\(storage.location)/\(file)") {
            file = "\(stem)_\(number).\(format.rawValue)"
            number += 1
        }
        return try StorageName([file])
    }
}

/// What the server said about a statement, with the place marked.
struct SQLErrorText {
    let error: BackupError

    init(_ failure: SQLFailure, _ statement: String) {
        var lines: [String] = []
        if let position = failure.position { lines += Self.marked(statement, position) }
        if let detail = failure.detail { lines.append(detail) }
        error = BackupError(
            .serverRefused,
            "\(failure.message)"
                + (failure.sqlState.isEmpty ? "" : " (SQLSTATE \(failure.sqlState))"),
            hint: failure.hint, underlying: lines.joined(separator: "\n"))
    }

    /// The line that the position is in, shortened around it, and a caret below.
    private static func marked(_ statement: String, _ position: Int) -> [String] {
        let scalars = Array(statement.unicodeScalars)
        let place = min(max(0, position - 1), scalars.count)
        let start = scalars[..<place].lastIndex(of: "\n").map { $0 + 1 } ?? 0
        let end = scalars[place...].firstIndex(of: "\n") ?? scalars.count
        let from = max(start, place - 60)
        let line = scalars[from..<min(end, place + 60)].map { $0 == "\t" ? " " : $0 }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: line)
        return [
            VisibleText.of(String(text)), String(repeating: " ", count: place - from) + "^",
        ]
    }
}
