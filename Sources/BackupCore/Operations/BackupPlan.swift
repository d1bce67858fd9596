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
    /// What it rests on; nil for a full.
    let layer: LayerPlan?
    /// Why it is a full although something else was asked for.
    let fullReason: String?
    /// Whether things are out of the account's sight that an earlier backup holds.
    let lacksUnseen: Bool

    var estimatedBytes: Int { tables.reduce(0) { $0 + $1.estimatedBytes } }

    /// Nobody knows what has changed.
    var estimatedFileBytes: Int { layer == nil ? packing.fileBytes(ofRows: estimatedBytes) : 0 }

    /// The commit, once everything has been written.
    func metadata(
        snapshot: any Snapshot, tables: [TableRecord], sequences: [SequenceValue],
        request: SnapshotRequest, engine: String, toolVersion: String
    ) -> Metadata {
        let moment = snapshot.moment
        let schema = snapshot.schema
        let end = Timestamp.now
        let parent = layer?.parent.point
        return Metadata(
            toolVersion: toolVersion, id: id.text, type: id.kind, scope: request.scope.word,
            status: schema.unreadable.isEmpty ? .completed : .incomplete,
            engine: engine, serverVersion: moment.serverVersion, database: moment.database,
            baseID: layer?.parent.base.id.text, parentID: parent?.id.text,
            parentSHA256: parent?.digest, chainNumber: layer?.number,
            snapshotAt: moment.time, timestampStart: start, timestampEnd: end,
            durationSeconds: end.seconds(since: start), consistency: moment.consistency,
            hashSeed: Hex.string(of: hashSeed),
            exact: !tables.contains { $0.basis == Basis.column.rawValue },
            encoding: moment.encoding,
            defaultSchema: moment.defaultSchema, sourceIdentity: moment.identity,
            databaseProperties: moment.databaseProperties,
            schemaDumpVersion: snapshot.definition.dumpVersion, roles: snapshot.definition.roles,
            owners: snapshot.definition.owners, extensions: snapshot.definition.extensions,
            statistics: Metadata.Statistics(of: tables),
            sequences: sequences, materializedViews: schema.materializedViews,
            scopePatterns: request.scope.patterns?.map(\.text),
            excludedPatterns: request.excluded.map(\.text),
            excludedTables: schema.excluded, unreadableTables: schema.unreadable,
            scopeObjects: schema.scopeObjects, warnings: nil, tables: TableRecords(tables))
    }
}

/// What a differential or incremental rests on, and how it finds changes.
struct LayerPlan: Sendable {
    /// What the live rows are compared with.
    let parent: Chain
    /// Which of all layers on the full it is, those that have been removed included; the first is 1.
    let number: Int
    /// How changed rows are to be found.
    let basis: BasisRequest
    /// The identity of the snapshot since which row versions tell what changed.
    let identity: [String: String]
    /// Why they do not; nil when they do.
    let loss: String?
    /// Why the source may not even be the parent's; nil when it is.
    let otherSource: String?
    /// The columns that tell what changed, where somebody asks for that.
    let columns: [TableName: ChangeColumn]
    /// Whether everything is read, to prove what points before this one have derived.
    let isMeasured: Bool
    /// About how many bytes a join may hold before it goes to temporary files: a quarter of it live rows,
    /// a quarter rows of the parent that have been read ahead, half of it such that wait for theirs.
    let joinBytes: Int

    /// What to do with a table that is there now.
    func treatment(of table: Table) -> TableTreatment {
        let known = parent.point.metadata.tables[table.name]
        return TableTreatment(table, parent: known?.mode == .dropped ? nil : known, in: self)
    }
}
