import BackupCore
import Terminal

/// The result of `full`, `differential` and `incremental`.
struct BackupRendering: Rendering {
    struct Document: Encodable {
        struct Change: Encodable {
            let schema: String
            let name: String
            let mode: String
            let basis: String?
            let reason: String?
            let rows: Int
            let tombstones: Int
        }

        let id: String
        let path: String
        let archive: String?
        let status: String
        let type: String
        let scope: String
        let database: String
        let snapshot_at: Timestamp
        /// How the moment was had.
        let consistency: String
        /// Where it is in the server's log; left out where nobody knows.
        let binary_log: BinaryLogPlace?
        let duration_seconds: Double
        let statistics: Metadata.Statistics
        let excluded_tables: [TableName]
        let unreadable_tables: [TableName]
        /// What it may lack.
        let warnings: [String]
        let archive_error: String?
        let base_id: String?
        let parent_id: String?
        /// What a merge made it of, the full first; nil of any other backup.
        let merged_from: [String]?
        /// Why it is a full although something else was asked for.
        let full_reason: String?
        let exact: Bool
        /// What was found of each table; nil in a full.
        let changes: [Change]?
    }

    private let report: BackupReport

    init(_ report: BackupReport) {
        self.report = report
    }

    var document: Document {
        let metadata = report.metadata
        return Document(
            id: metadata.id, path: report.location, archive: report.archive,
            status: metadata.status.rawValue, type: metadata.type.rawValue, scope: metadata.scope,
            database: metadata.database, snapshot_at: metadata.snapshotAt,
            consistency: metadata.consistency, binary_log: BinaryLogPlace(metadata),
            duration_seconds: metadata.durationSeconds,
            statistics: metadata.statistics,
            excluded_tables: metadata.excludedTables, unreadable_tables: metadata.unreadableTables,
            warnings: metadata.warnings ?? [],
            archive_error: report.archiveFailure?.message, base_id: metadata.baseID,
            parent_id: metadata.parentID, merged_from: metadata.mergedFrom,
            full_reason: report.fullReason, exact: metadata.exact,
            changes: metadata.type == .full ? nil : metadata.tables.map(Self.change))
    }

    private static func change(_ record: TableRecord) -> Document.Change {
        Document.Change(
            schema: record.schema, name: record.name, mode: record.mode.rawValue,
            basis: record.basis, reason: record.reason, rows: record.rows,
            tombstones: record.tombstones)
    }

    var lines: [String] {
        let metadata = report.metadata
        let totals = metadata.statistics
        var fields: [(String, String)] = [
            ("database", "\(metadata.database) (\(metadata.serverText))"),
            ("tables", NumberText.grouped(totals.totalTables)),
            ("rows", rows),
            ("size", "\(ByteText(totals.totalSizeBytes))"),
            ("time", NumberText.duration(seconds: metadata.durationSeconds)),
            ("folder", report.location),
        ]
        // PostgreSQL has one way, the others several.
        if metadata.engine == "mysql" { fields.append(("moment", metadata.consistency)) }
        if let place = BinaryLogPlace(metadata) { fields.append(("binary log", place.line)) }
        if let reason = report.fullReason { fields.append(("why a full", reason)) }
        if let parent = metadata.parentID { fields.append(("since", parent)) }
        if let merged = metadata.mergedFrom {
            fields.append(("merged from", merged.joined(separator: ", ")))
        }
        if metadata.type != .full, metadata.scope != Scope.database.word {
            fields.append(("scope", "some tables only, as the full that it rests on"))
        }
        if !metadata.exact { fields.append(("exact", LayerSummary.inexact)) }
        fields += LayerSummary(metadata).fields
        if let archive = report.archive { fields.append(("archive", archive)) }
        fields += metadata.rowsLeftOut
        if !metadata.unreadableTables.isEmpty {
            fields.append(("not readable", names(metadata.unreadableTables)))
        }
        if let failure = report.archiveFailure { fields.append(("no archive", failure.message)) }
        return ["\(metadata.id) \(metadata.status.rawValue)"] + FieldList(fields).lines
    }

    private var rows: String {
        let totals = report.metadata.statistics
        guard report.metadata.type != .full else {
            return NumberText.grouped(totals.totalRowsProcessed)
        }
        let deleted = report.metadata.tables.reduce(0) { $0 + $1.tombstones }
        let changed = totals.totalRowsProcessed - deleted
        return
            "\(NumberText.grouped(changed)) new or changed, \(NumberText.grouped(deleted)) deleted"
    }

    private func names(_ tables: [TableName]) -> String {
        tables.map(\.description).joined(separator: ", ")
    }
}

/// The result of `verify`.
struct VerifyRendering: Rendering {
    struct Document: Encodable {
        let id: String
        let passed: Bool
        let damage: [String]
        let warnings: [String]
        let tables: Int
        let rows: Int
        let duration_seconds: Double
    }

    private let report: VerifyReport

    init(_ report: VerifyReport) {
        self.report = report
    }

    var document: Document {
        let metadata = report.point.metadata
        return Document(
            id: metadata.id, passed: report.passed, damage: report.damage,
            warnings: report.warnings, tables: metadata.currentTables.count,
            rows: metadata.rowCount, duration_seconds: report.seconds)
    }

    var lines: [String] {
        let document = document
        guard document.passed else {
            return ["\(document.id) is damaged"]
                + document.damage.map { "  \(VisibleText.of($0))" } + warnings
        }
        var fields = [
            ("tables", NumberText.grouped(document.tables)),
            ("rows", "\(NumberText.grouped(document.rows)), checksums and fingerprints agree"),
            ("time", NumberText.duration(seconds: document.duration_seconds)),
        ]
        if !report.point.metadata.exact { fields.append(("exact", LayerSummary.inexact)) }
        fields += report.point.metadata.rowsLeftOut
        return ["\(document.id) verified"] + FieldList(fields).lines + warnings
    }

    /// One line for each.
    var warnings: [String] {
        report.warnings.map { "  warning: \(VisibleText.of($0))" }
    }
}

extension Metadata {
    /// A line that names the tables whose rows the backup leaves out, where there are any: nothing proves these.
    var rowsLeftOut: [(String, String)] {
        guard !excludedTables.isEmpty else { return [] }
        return [("rows left out", excludedTables.map(\.description).joined(separator: ", "))]
    }
}
