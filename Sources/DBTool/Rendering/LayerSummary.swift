import BackupCore
import Terminal

/// What a backup that rests on another found, and how: a line for each way and reason.
struct LayerSummary {
    /// What is said of a point that is only as exact as a column.
    static let inexact = "no: changes were found by a column of times"

    let fields: [(name: String, value: String)]

    init(_ metadata: Metadata) {
        guard metadata.type != .full else {
            fields = []
            return
        }
        let unchanged = metadata.tables.count { $0.mode == .unchanged }
        var lines = [
            ("unchanged", "\(NumberText.grouped(unchanged)) \(unchanged == 1 ? "table" : "tables")")
        ]
        let ways = Dictionary(grouping: metadata.tables) { Self.way(of: $0) }
        for (way, tables) in ways.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        ) {
            lines.append((way.name, "\(Self.names(of: tables)): \(way.reason)"))
        }
        fields = lines
    }

    private struct Way: Hashable, Comparable {
        let name: String
        let reason: String

        static func < (left: Way, right: Way) -> Bool {
            (left.name, left.reason) < (right.name, right.reason)
        }
    }

    private static func way(of record: TableRecord) -> Way {
        let name =
            switch record.mode {
            case .whole: "whole"
            case .dropped: "dropped"
            case .changes, .unchanged: "by \(record.basis ?? "compare")"
            }
        return Way(name: name, reason: record.reason ?? "")
    }

    private static func names(of tables: [TableRecord]) -> String {
        guard tables.count > 3 else {
            return tables.map { "\($0.tableName)" }.joined(separator: ", ")
        }
        return "\(NumberText.grouped(tables.count)) tables"
    }
}
