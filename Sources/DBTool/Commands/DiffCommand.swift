import ArgumentParser
import BackupCore
import Terminal

/// The command `dbtool diff POINT POINT`.
struct DiffCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two backups: rows added, changed and deleted.")

    /// How differences are written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case summary
        case csv
        case json
    }

    @Argument(help: "The older backup.", completion: .points)
    var from: String
    @Argument(help: "The newer backup.", completion: .points)
    var to: String
    @Option(
        name: .word("tablename"), help: "Only these tables. Repeatable.", completion: .tablesOfPoint
    )
    var tables: [String] = []
    @Option(
        name: .word("format"),
        help: """
            summary: a line for each table. csv: a line for each value that differs. json: a line for \
            each row that differs.
            """)
    var format: Format = .summary
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard format == .summary || !output.json else {
            throw ValidationError("--json reports the summary; use -format json for rows.")
        }
    }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let contents = try await repository.contents()
        let (database, engine) = (wiring.database, wiring.namedProduct)
        let old = try contents.chain(named: from, database: database, engine: engine)
        let new = try contents.chain(named: to, database: database, engine: engine)
        let diff = try PointDiff(from: old, to: new, in: repository)
        let patterns = try tables.map { try TablePattern($0) }
        guard format != .summary else {
            let differences = try await diff.run(tables: patterns, progress: progress)
            output.show(DiffRendering(old.point, new.point, differences))
            return .done
        }
        let rows = DifferenceLines(format)
        if let header = rows.header { _ = TerminalOutput.write(header) }
        do {
            let differences = try await diff.run(tables: patterns, progress: progress) {
                difference in
                // Whoever reads may have seen enough: `| head`.
                guard TerminalOutput.write(rows.lines(of: difference)) else {
                    throw NobodyReads()
                }
            }
            output.log?.note(DiffRendering(old.point, new.point, differences).logResult)
        } catch is NobodyReads {
            return .done
        }
        return .done
    }

    private struct NobodyReads: Error {}
}

/// Rows that differ, as lines of CSV or JSON.
struct DifferenceLines: Sendable {
    private let format: DiffCommand.Format

    init(_ format: DiffCommand.Format) { self.format = format }

    /// The first line; nil where there is none.
    var header: [UInt8]? {
        guard format == .csv else { return nil }
        return CSVDialect.record(["schema", "table", "change", "key", "column", "old", "new"])
    }

    func lines(of difference: PointDiff.RowDifference) -> [UInt8] {
        format == .csv ? csv(difference) : json(difference)
    }

    private func word(_ difference: PointDiff.RowDifference) -> String {
        difference.old == nil ? "added" : difference.new == nil ? "deleted" : "changed"
    }

    private func key(_ difference: PointDiff.RowDifference) -> String? {
        let record = difference.record
        let row = difference.new ?? difference.old ?? []
        guard !record.key.isEmpty, row.count == record.storedColumns.count else { return nil }
        let fields = record.keyPositions.map { row[$0] }
        return String(decoding: CSVDialect.record(fields).dropLast(), as: UTF8.self)
    }

    private func csv(_ difference: PointDiff.RowDifference) -> [UInt8] {
        let record = difference.record
        let start = [record.schema, record.name, word(difference), key(difference)]
        return record.storedColumns.enumerated().flatMap { index, column -> [UInt8] in
            let (old, new) = (Self.field(index, difference.old), Self.field(index, difference.new))
            let differs = old.map(ExactText.init) != new.map(ExactText.init)
            guard differs || difference.old == nil || difference.new == nil else { return [] }
            return CSVDialect.record(start + [column, old, new])
        }
    }

    private static func field(_ index: Int, _ fields: [String?]?) -> String? {
        guard let fields, fields.indices.contains(index) else { return nil }
        return fields[index]
    }

    private func json(_ difference: PointDiff.RowDifference) -> [UInt8] {
        let record = difference.record
        let line = JSONText.object([
            ("change", JSONText.string(word(difference))),
            ("key", key(difference).map(JSONText.string)),
            ("new", difference.new.map { JSONText.object(record.storedColumns, $0) }),
            ("old", difference.old.map { JSONText.object(record.storedColumns, $0) }),
            ("schema", JSONText.string(record.schema)),
            ("table", JSONText.string(record.name)),
        ])
        return Array(line.utf8) + [CSVDialect.lineEnd]
    }
}

/// The result of `diff`: a line for each table that differs.
struct DiffRendering: Rendering {
    struct Document: Encodable {
        struct Table: Encodable {
            let schema: String
            let name: String
            let added: Int
            let changed: Int
            let deleted: Int
            let note: String?
        }

        let from: String
        let to: String
        let tables: [Table]
    }

    let document: Document

    init(_ old: Point, _ new: Point, _ differences: [PointDiff.TableDifference]) {
        document = Document(
            from: old.id.text, to: new.id.text,
            tables: differences.map {
                .init(
                    schema: $0.table.schema, name: $0.table.name, added: $0.added,
                    changed: $0.changed, deleted: $0.deleted, note: $0.note)
            })
    }

    var lines: [String] {
        let head = "\(document.from) → \(document.to)"
        guard !document.tables.isEmpty else { return [head, "  no row differs"] }
        var table = TextTable([
            ("TABLE", .left), ("ADDED", .right), ("CHANGED", .right), ("DELETED", .right),
            ("", .left),
        ])
        for found in document.tables {
            let name = TableName(schema: found.schema, name: found.name)
            table.add(
                ["\(name)"]
                    + [found.added, found.changed, found.deleted].map(NumberText.grouped)
                    + [found.note ?? ""])
        }
        return [head] + table.lines
    }
}
