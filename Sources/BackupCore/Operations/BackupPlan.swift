import Foundation
import Packing

/// What a backup run will write.
struct BackupPlan: Sendable {
    let id: BackupID
    let start: Timestamp
    let hashSeed: UInt64
    let packing: FilePacking
    /// In the order in which they are read.
    let tables: [Table]
    let fileNames: [TableName: String]

    var estimatedBytes: Int { tables.reduce(0) { $0 + $1.estimatedBytes } }

    /// zstd makes rows about four times smaller, and at least twice.
    var estimatedFileBytes: Int { packing == .zstd ? estimatedBytes / 2 : estimatedBytes }

    /// The commit, once everything has been written.
    func metadata(
        snapshot: any Snapshot, tables: [TableRecord], sequences: [SequenceValue], scope: Scope,
        engine: String, toolVersion: String
    ) -> Metadata {
        let moment = snapshot.moment
        let schema = snapshot.schema
        let end = Timestamp.now
        return Metadata(
            toolVersion: toolVersion, id: id.text, type: .full, scope: scope.word,
            status: schema.unreadable.isEmpty ? .completed : .incomplete,
            engine: engine, serverVersion: moment.serverVersion, database: moment.database,
            snapshotAt: moment.time, timestampStart: start, timestampEnd: end,
            durationSeconds: seconds(until: end), consistency: moment.consistency,
            hashSeed: Hex.string(of: hashSeed), exact: true, encoding: moment.encoding,
            defaultSchema: moment.defaultSchema, sourceIdentity: moment.identity,
            databaseProperties: moment.databaseProperties,
            schemaDumpVersion: snapshot.definition.dumpVersion, roles: snapshot.definition.roles,
            owners: snapshot.definition.owners, extensions: snapshot.definition.extensions,
            statistics: Metadata.Statistics(
                totalTables: tables.count,
                totalRowsProcessed: tables.reduce(0) { $0 + $1.rows },
                totalSizeBytes: tables.reduce(0) { $0 + $1.bytes }),
            sequences: sequences, materializedViews: schema.materializedViews,
            excludedTables: schema.excluded, unreadableTables: schema.unreadable,
            scopeObjects: schema.scopeObjects, tables: tables)
    }

    /// What the catalog says about a run that failed.
    func failure(because error: any Error) -> Catalog.Entry {
        let reason = (error as? BackupError)?.message ?? "interrupted"
        return Catalog.Entry(
            id: id.text, type: .full, status: "failed", timestampStart: start,
            durationSeconds: seconds(until: .now),
            statistics: Metadata.Statistics(
                totalTables: 0, totalRowsProcessed: 0, totalSizeBytes: 0),
            reason: reason)
    }

    private func seconds(until end: Timestamp) -> Double {
        let seconds = end.date.timeIntervalSince(start.date)
        return (seconds * 1000).rounded() / 1000
    }
}
