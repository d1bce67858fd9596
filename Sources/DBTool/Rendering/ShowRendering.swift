import BackupCore
import Foundation
import Terminal

/// The result of `show`: everything about one backup.
struct ShowRendering: Rendering {
    struct Document: Encodable {
        struct Archive: Encodable {
            let path: String
            let size_bytes: Int
        }

        let id: String
        let path: String
        let age_seconds: Double
        let stored_bytes: Int
        let csv_bytes: Int
        let archive: Archive?
        /// Where it is in the server's log; left out where nobody knows.
        let binary_log: BinaryLogPlace?
        /// `state.json`; left out when it is unknown.
        let state: BackupState?
        /// `metadata.json`.
        let metadata: Metadata
    }

    let document: Document
    private let now: Timestamp

    init(_ point: Point, details: PointDetails, location: String, now: Timestamp) {
        let metadata = point.metadata
        document = Document(
            id: metadata.id, path: "\(location)/\(point.folder)",
            age_seconds: now.date.timeIntervalSince(metadata.snapshotAt.date).rounded(),
            stored_bytes: details.storedBytes, csv_bytes: metadata.csvBytes,
            archive: details.archive.map { .init(path: $0.location, size_bytes: $0.bytes) },
            binary_log: BinaryLogPlace(metadata), state: details.state, metadata: metadata)
        self.now = now
    }

    private var metadata: Metadata { document.metadata }

    var lines: [String] {
        ["\(document.id) \(metadata.status.rawValue)"]
            + FieldList(origin + contents + needs + proofs).lines + tables
    }

    // MARK: Fields

    private var origin: [(String, String)] {
        var fields = [
            ("kind", "\(metadata.type.rawValue) backup, scope \(metadata.scope)"),
            ("database", "\(metadata.database) (\(metadata.serverText))"),
            (
                "snapshot",
                "\(metadata.snapshotAt.forPeople) UTC, \(metadata.snapshotAt.age(at: now)) ago"
            ),
            ("consistency", metadata.consistency),
        ]
        if let place = document.binary_log { fields.append(("binary log", place.line)) }
        fields += [
            ("exact", metadata.exact ? "yes" : LayerSummary.inexact),
            (
                "made in",
                "\(NumberText.duration(seconds: metadata.durationSeconds)), by dbtool \(metadata.toolVersion)"
            ),
        ]
        // Each may end in a statement that mends it.
        fields += (metadata.warnings ?? []).map { ("warning", $0) }
        if let base = metadata.baseID { fields.append(("base", base)) }
        if let parent = metadata.parentID { fields.append(("parent", parent)) }
        if let merged = metadata.mergedFrom {
            fields.append(("merged from", merged.joined(separator: ", ")))
        }
        return fields
    }

    private var contents: [(String, String)] {
        let totals = metadata.statistics
        var fields = [
            ("tables", NumberText.grouped(totals.totalTables)),
            ("rows", NumberText.grouped(totals.totalRowsProcessed)),
            ("size", size), ("folder", document.path),
        ]
        if let archive = document.archive {
            fields.append(("archive", "\(archive.path) (\(ByteText(archive.size_bytes)))"))
        }
        if let count = largeObjects {
            fields.append(("large objects", NumberText.grouped(count)))
        }
        fields.append(("sequences", NumberText.grouped(metadata.sequences.count)))
        fields += metadata.rowsLeftOut
        if !metadata.unreadableTables.isEmpty {
            fields.append(("not readable", Self.names(metadata.unreadableTables)))
        }
        return fields
    }

    private var needs: [(String, String)] {
        [
            ("extensions", Self.list(metadata.extensions)), ("roles", Self.list(metadata.roles)),
            ("encoding", encoding),
        ]
    }

    private var proofs: [(String, String)] {
        let state = document.state
        func text(_ proof: BackupState.Proof?) -> String {
            ProofText(proof: proof, isKnown: state != nil, now: now).long
        }
        return [
            ("verified", text(state?.verified)), ("drilled", text(state?.drilled)),
            ("pinned", state.map { $0.pinned ? "yes" : "no" } ?? "unknown"),
        ]
    }

    private var size: String {
        let isPacked = metadata.tables.contains { $0.file?.hasSuffix(".zst") == true }
        let rows = ByteText(metadata.statistics.totalSizeBytes)
        let data =
            isPacked
            ? "data \(rows) packed with zstd, \(ByteText(document.csv_bytes)) as CSV"
            : "data \(rows), plain CSV"
        return "\(ByteText(document.stored_bytes)) (\(data))"
    }

    private var encoding: String {
        let properties = metadata.databaseProperties
        let locale = [properties["locale"], properties["collate"], properties["ctype"]]
            .compactMap(\.self)
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let source = properties["encoding"].map { "\($0), locale \(Self.list(locale))" }
        return "files \(metadata.encoding)" + (source.map { ", database \($0)" } ?? "")
    }

    /// The table that the format gives them.
    private var largeObjects: Int? {
        metadata.tables.first {
            $0.tableName == TableName(schema: "pg_catalog", name: "pg_largeobject_metadata")
        }?.fingerprint.rows
    }

    // MARK: Tables

    private var tables: [String] {
        guard !metadata.tables.isEmpty else { return [] }
        let isLayer = metadata.type != .full
        let changes: [(String, TextTable.Alignment)] = [("CHANGED", .right), ("DELETED", .right)]
        var table = TextTable(
            [("TABLE", .left), ("ROWS", .right)] + (isLayer ? changes : [])
                + [("SIZE", .right), ("KEY", .left), ("MODE", .left)])
        for record in metadata.tables {
            let counts = [record.rows, record.tombstones].map(NumberText.grouped)
            table.add(
                [
                    "\(record.tableName)", NumberText.grouped(record.fingerprint.rows),
                ] + (isLayer ? counts : []) + [
                    "\(ByteText(record.bytes))",
                    record.key.isEmpty ? "no key" : record.key.joined(separator: ", "),
                    record.mode.rawValue,
                ])
        }
        return [""] + table.lines
    }

    private static func names(_ tables: [TableName]) -> String {
        list(tables.map(\.description))
    }

    private static func list(_ words: [String]) -> String {
        words.isEmpty ? "none" : words.joined(separator: ", ")
    }
}

extension Metadata {
    /// The source's product and version: `MariaDB 10.11.6`.
    var serverText: String {
        let product = databaseProperties["product"] ?? (engine == "mysql" ? "MySQL" : "PostgreSQL")
        return "\(product) \(serverVersion)"
    }
}
