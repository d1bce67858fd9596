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
        result.errors = document.damage
        return result
    }
}
