import BackupCore
import Terminal

/// The result of `restore`.
struct RestoreRendering: Rendering {
    struct Document: Encodable {
        let id: String
        let database: String
        let tables: Int
        let rows: Int
        let continued: Bool
        let restored: [TableDocument]
        let check: String
        let duration_seconds: Double
        let problems: [String]
        let differences: [String]
        let left_out: [String]
        let warnings: [String]
    }

    private let report: RestoreReport

    init(_ report: RestoreReport) {
        self.report = report
    }

    var document: Document {
        Document(
            id: report.point.id.text, database: report.database,
            tables: report.plan.tables.count,
            rows: report.content == .structure ? 0 : report.plan.rowCount,
            continued: report.plan.target.continues,
            restored: report.plan.tables.map { TableDocument($0, report.plan.target) },
            check: report.check.rawValue, duration_seconds: report.seconds,
            problems: report.problems, differences: report.differences,
            left_out: report.plan.target.leftOut,
            warnings: report.plan.target.warnings + report.unread)
    }

    var lines: [String] {
        let document = document
        var fields = [("into", document.database)]
        if report.content == .structure {
            fields.append(("rows", "none: only the structure was asked for"))
        } else {
            fields.append(("tables", tables))
            fields.append(("rows", "\(NumberText.grouped(document.rows)), \(proof)"))
        }
        fields.append(("time", NumberText.duration(seconds: document.duration_seconds)))
        if !report.point.metadata.exact { fields.append(("exact", LayerSummary.inexact)) }
        let excluded = report.point.metadata.excludedTables
        if !excluded.isEmpty {
            fields.append(("without rows of", excluded.map(\.description).joined(separator: ", ")))
        }
        return ["\(document.id) restored\(reservation)"]
            + FieldList(fields).lines
            + document.left_out.map { "  left out: \(VisibleText.of($0))" }
            + document.warnings.map { "  warning: \(VisibleText.of($0))" }
            + document.problems.map { "  not made: \(VisibleText.of($0))" }
            + document.differences.map { "  different: \(VisibleText.of($0))" }
    }

    private var reservation: String {
        if !report.problems.isEmpty { return ", but not everything" }
        return report.differences.isEmpty ? "" : ", but not all rows are as in the backup"
    }

    /// `12, 3 of them replaced, 9 restored by the interrupted run`.
    private var tables: String {
        let tables = report.plan.target.tables.values
        let parts = [
            (tables.count { $0.treatment == .truncate }, "replaced in place"),
            (tables.count { $0.treatment == .append }, "added to"),
            (tables.count(where: \.isLoaded), "restored before the interruption"),
        ]
        let words = parts.compactMap { count, words in
            count == 0 ? nil : "\(NumberText.grouped(count)) \(words)"
        }
        return ([NumberText.grouped(report.plan.tables.count)] + words).joined(separator: ", ")
    }

    private var proof: String {
        guard report.check == .rows else { return counted }
        guard !report.keepsRows else {
            return "fingerprints and counts agree; what was added to other rows was not read back"
        }
        return report.differences.isEmpty
            ? "read back, fingerprints agree" : "read back, fingerprints differ"
    }

    private var counted: String {
        let target = report.plan.target
        let before = target.tables.filter { $0.value.isLoaded }
        guard !before.isEmpty else { return "fingerprints and counts agree" }
        guard report.differences.isEmpty else {
            return "fingerprints and counts agreed when each was loaded; some have changed since"
        }
        let isAllRead =
            report.unread.isEmpty
            && !before.contains {
                $0.value.treatment == .append || target.changed.contains($0.key)
            }
        return isAllRead
            ? "fingerprints and counts agree; what was loaded before was read back"
            : "fingerprints and counts agreed when each was loaded; not all could be read back"
    }
}

/// A table of a restore, for programs.
struct TableDocument: Encodable {
    let schema: String
    let name: String
    let restored_as: String
    let treatment: String
    let rows: Int

    init(_ record: TableRecord, _ plan: TargetPlan) {
        let table = plan.tables[record.tableName]
        schema = record.schema
        name = record.name
        restored_as = "\(table?.load.table ?? record.tableName)"
        treatment = table.map { $0.isLoaded ? "loaded" : $0.treatment.rawValue } ?? ""
        rows = record.fingerprint.rows
    }
}

/// What `restore --dry-run` shows: what would be done.
struct RestorePlanRendering: Rendering {
    struct Document: Encodable {
        let id: String
        let database: String
        let creates_database: Bool
        let continues: Bool
        let drops: [String]
        let creates: [String]
        let made_before: [String]
        let uses: [String]
        let tables: [TableDocument]
        let left_out: [String]
        let warnings: [String]
    }

    private let plan: RestorePlan
    private let request: RestoreRequest

    init(_ plan: RestorePlan, _ request: RestoreRequest) {
        self.plan = plan
        self.request = request
    }

    var document: Document {
        let target = plan.target
        return Document(
            id: plan.point.id.text, database: plan.database,
            creates_database: target.createsDatabase, continues: target.continues,
            drops: target.drops.map(Self.words), creates: creates.map(Self.words),
            made_before: target.made.map(Self.words), uses: target.keeps.map(Self.words),
            tables: plan.tables.map { TableDocument($0, target) }, left_out: target.leftOut,
            warnings: target.warnings)
    }

    var lines: [String] {
        let database = plan.target.createsDatabase ? "a new database" : "a database that exists"
        var lines = [
            "plan: restore \(plan.point.id) into \(plan.database), \(database); nothing was changed"
        ]
        if plan.target.continues { lines.append("  goes on with an interrupted restore") }
        lines += drops.map { "  \($0)" }
        lines += Self.counts(plan.target.made).map {
            "  made    \(VisibleText.of($0)), before the interruption"
        }
        lines += Self.counts(creates).map { "  create  \(VisibleText.of($0))" }
        // A name of these is one of the whole schema on PostgreSQL, and of the table elsewhere.
        if request.newName != nil, plan.point.metadata.engine != "mysql", !creates.isEmpty {
            lines.append("  the copy's sequences, indexes and keys get names of their own")
        }
        lines += plan.target.keeps.map {
            "  use     \(VisibleText.of(Self.words($0))), which exists, as it is"
        }
        return lines + tables.map { "  \(VisibleText.of($0))" }
            + plan.target.leftOut.map { "  left out: \(VisibleText.of($0))" } + warnings
    }

    /// What is still to be created.
    private var creates: [TargetPlan.Object] {
        let made = Set(plan.target.made)
        return plan.target.creates.filter { !made.contains($0) }
    }

    /// What is told before anything is made, a line each.
    var warnings: [String] {
        plan.target.warnings.map { "  warning: \(VisibleText.of($0))" }
    }

    /// What is dropped, a line each.
    var drops: [String] { plan.target.drops.map { "drop    \(VisibleText.of(Self.words($0)))" } }

    private var tables: [String] {
        guard !plan.tables.isEmpty else { return [] }
        var table = TextTable([
            ("TABLE", .left), ("ROWS", .right), ("SIZE", .right), ("WHAT HAPPENS", .left),
        ])
        let made = Set(plan.target.made)
        for record in plan.tables {
            let planned = plan.target.tables[record.tableName]
            let name = "\(record.tableName)"
            let place = planned.map { "\($0.load.table)" } ?? name
            table.add([
                place == name ? name : "\(name) as \(place)",
                NumberText.grouped(record.fingerprint.rows), "\(ByteText(record.csvBytes))",
                planned.map { Self.fate(of: $0, besides: made) } ?? "",
            ])
        }
        return table.lines
    }

    /// `made`: What an interrupted restore has made.
    private static func fate(
        of table: TargetPlan.TablePlan, besides made: Set<TargetPlan.Object>
    ) -> String {
        guard !table.isLoaded else { return "read back: loaded before the interruption" }
        let isMade = made.contains(TargetPlan.Object(kind: "TABLE", name: "\(table.load.table)"))
        return switch table.treatment {
        case .create: isMade ? "made before the interruption; loaded now" : "created and loaded"
        case .truncate: "exists: its rows are replaced"
        case .append: "exists: rows are added"
        }
    }

    private static func words(_ object: TargetPlan.Object) -> String {
        "\(object.kind.lowercased()) \(object.name)"
    }

    /// `3 indexes`: names only where there are few.
    private static func counts(_ objects: [TargetPlan.Object]) -> [String] {
        var kinds: [String] = []
        for object in objects where !kinds.contains(object.kind) { kinds.append(object.kind) }
        return kinds.map { kind in
            let names = objects.filter { $0.kind == kind }.map(\.name)
            let shown = names.prefix(4).joined(separator: ", ")
            let more = names.count > 4 ? " and \(names.count - 4) more" : ""
            return "\(kind.lowercased()) \(shown)\(more)"
        }
    }
}
