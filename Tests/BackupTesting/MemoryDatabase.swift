public import BackupCore

/// A database as `MemoryServer` keeps it.
public struct MemoryDatabase: Sendable {
    /// A table and its rows.
    public struct Content: Sendable {
        /// The table.
        public var table: Table
        /// Each row's stored fields.
        public var rows: [[String?]]

        /// Describes a table with rows.
        public init(_ table: Table, rows: [[String?]]) {
            self.table = table
            self.rows = rows
        }
    }

    /// The tables, in any order.
    public var contents: [Content]
    /// Where its sequences stand.
    public var sequences: [SequenceValue]
    /// Tables that nobody may read.
    public var unreadable: [TableName] = []
    /// Indexes and constraints have been made.
    public var hasIndexes = false

    /// A database with tables.
    public init(_ contents: [Content] = [], sequences: [SequenceValue] = []) {
        self.contents = contents
        self.sequences = sequences
    }

    /// The rows of a table; nil when there is no such table.
    public subscript(rows name: TableName) -> [[String?]]? {
        get { contents.first { $0.table.name == name }?.rows }
        set {
            guard let index = contents.firstIndex(where: { $0.table.name == name }) else { return }
            contents[index].rows = newValue ?? []
        }
    }

    /// Its tables as CSV records: the schema, the name and the stored columns of each.
    var definition: [UInt8] {
        let tables = contents.map(\.table).sorted { $0.name < $1.name }
        return tables.flatMap { table in
            CSVDialect.record(
                [table.name.schema, table.name.name] + table.storedColumns.map(\.name))
        }
    }

    /// Empty tables, as a definition describes them.
    init(definition: [UInt8]) throws {
        var splitter = RecordSplitter()
        let batch = splitter.records(completedBy: definition)
        try splitter.finish()
        self.init(
            try batch.records.map { record in
                let words = try CSVDialect.fields(of: record).map { $0 ?? "" }
                guard words.count >= 2 else {
                    throw BackupError(.damaged, "the definition is not understood")
                }
                return Content(
                    Table(memory: words[0], words[1], columns: Array(words[2...])), rows: [])
            })
    }
}

extension Table {
    /// A table of `MemoryServer`.
    public init(memory schema: String, _ name: String, columns: [String], key: [String] = []) {
        self.init(
            name: TableName(schema: schema, name: name),
            columns: columns.enumerated().map {
                Column(name: $0.element, type: "text", number: $0.offset + 1)
            },
            key: key,
            identity: TableIdentity(object: "\(schema).\(name)", storage: "1", textDigest: ""))
    }
}

extension RowBatch {
    /// Each record, without its line end.
    public var records: [ArraySlice<UInt8>] {
        zip([0] + ends, ends).map { bytes[$0..<($1 - 1)] }
    }

    /// A batch of these rows.
    public init(rows: some Sequence<[String?]>) {
        self.init()
        for row in rows {
            CSVDialect.record(row).withUnsafeBytes { append(record: $0) }
        }
    }
}
