import BackupCore
import Terminal

/// The result of `verify --drill`: the files, and the restore that proved them.
struct DrillRendering: Rendering {
    struct Document: Encodable {
        let id: String
        let passed: Bool
        let damage: [String]
        let warnings: [String]
        let tables: Int
        let rows: Int
        let duration_seconds: Double
        let drill: Drill

        struct Drill: Encodable {
            let passed: Bool
            let recovery_seconds: Double
            let comparison_seconds: Double
            let problems: [String]
            let differences: [String]
        }
    }

    private let verified: VerifyReport
    private let drilled: DrillReport

    init(_ verified: VerifyReport, _ drilled: DrillReport) {
        self.verified = verified
        self.drilled = drilled
    }

    var document: Document {
        let files = VerifyRendering(verified).document
        return Document(
            id: files.id, passed: files.passed && drilled.passed, damage: files.damage,
            warnings: files.warnings, tables: files.tables, rows: files.rows,
            duration_seconds: files.duration_seconds + drilled.restored.seconds,
            drill: Document.Drill(
                passed: drilled.passed, recovery_seconds: drilled.recoverySeconds,
                comparison_seconds: drilled.restored.readingSeconds,
                problems: drilled.restored.problems, differences: drilled.restored.differences))
    }

    /// The first line.
    var title: String {
        let document = document
        return "\(document.id) \(document.passed ? "verified by a drill" : "failed its drill")"
    }

    var lines: [String] {
        let document = document
        var fields = [
            ("tables", NumberText.grouped(document.tables)),
            ("rows", "\(NumberText.grouped(document.rows)), checksums and fingerprints agree"),
            (
                "drill",
                drilled.restored.differences.isEmpty
                    ? "restored, read back, all rows agree" : "rows differ"
            ),
            (
                "recovery",
                "\(NumberText.duration(seconds: document.drill.recovery_seconds)) until the database can be used"
            ),
            ("comparison", NumberText.duration(seconds: document.drill.comparison_seconds)),
        ]
        fields += verified.point.metadata.rowsLeftOut
        return [title] + FieldList(fields).lines
            + document.drill.problems.map { "  not made: \(VisibleText.of($0))" }
            + document.drill.differences.map { "  different: \(VisibleText.of($0))" }
            + VerifyRendering(verified).warnings
    }
}
