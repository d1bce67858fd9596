import BackupCore

/// A report whose gist belongs into the log.
protocol LoggedRendering: Rendering {
    var logResult: LogResult { get }
}

extension BackupRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        var result = LogResult(
            message: "\(document.id) \(document.status)", backup: document.id,
            database: document.database, seconds: document.duration_seconds)
        result.warnings = document.unreadable_tables.map { "table \($0) is not in the backup" }
        if let failure = document.archive_error { result.warnings.append("no archive: \(failure)") }
        return result
    }
}

extension RestoreRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        var result = LogResult(
            message: "\(document.id) restored", backup: document.id, database: document.database,
            seconds: document.duration_seconds)
        result.warnings = document.problems.map { "not made: \($0)" }
        return result
    }
}

extension VerifyRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        var result = LogResult(
            message: "\(document.id) \(document.passed ? "verified" : "is damaged")",
            backup: document.id, seconds: document.duration_seconds)
        (result.warnings, result.errors) = (document.warnings, document.damage)
        return result
    }
}

extension DrillRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        var result = LogResult(
            message: title, backup: document.id, seconds: document.duration_seconds)
        result.warnings =
            document.warnings + document.drill.problems.map { "not made: \($0)" }
        result.errors = document.damage + document.drill.differences.map { "different: \($0)" }
        return result
    }
}

extension DiffRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        let tables = document.tables
        func sum(_ count: KeyPath<Document.Table, Int>) -> Int {
            tables.reduce(0) { $0 + $1[keyPath: count] }
        }
        let differ = tables.count == 1 ? "1 table differs" : "\(tables.count) tables differ"
        return LogResult(
            message: "\(document.from) → \(document.to): \(differ), \(sum(\.added)) rows added, "
                + "\(sum(\.changed)) changed, \(sum(\.deleted)) deleted",
            backup: document.to)
    }
}

extension PruneRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        let removed = document.backups.filter { !$0.kept }.map(\.id)
        let kept = document.backups.count - removed.count
        let verb = document.dry_run ? "would be removed" : "removed"
        let names = removed.isEmpty ? "" : ": \(removed.joined(separator: ", "))"
        return LogResult(
            message: "\(kept) kept, \(removed.count) \(verb)\(names)",
            database: document.database)
    }
}

extension CheckRendering: LoggedRendering {
    var logResult: LogResult {
        let document = document
        func words(_ severity: Finding.Severity) -> [String] {
            document.findings.filter { $0.severity == severity }
                .map { "\($0.subject): \($0.text)" }
        }
        var result = LogResult(message: verdict, database: document.database)
        (result.warnings, result.errors) = (words(.warning), words(.problem))
        return result
    }
}
