/// A column as the catalogs describe it.
public struct Column: Sendable, Hashable, Codable {
    /// The name, as stored.
    public var name: String
    /// The type in the server's own words, with its modifiers: `numeric(10,2)`.
    public var type: String
    /// The server's own number of the column, which survives a rename.
    public var number: Int
    /// Computed by the server from other columns: not stored in files, not part of the row hash.
    public var isGenerated: Bool

    /// Describes a column.
    public init(name: String, type: String, number: Int, isGenerated: Bool = false) {
        self.name = name
        self.type = type
        self.number = number
        self.isGenerated = isGenerated
    }

    private enum CodingKeys: String, CodingKey {
        case name, type, number
        case isGenerated = "generated"
    }
}

/// A table whose rows a backup stores.
public struct Table: Sendable, Hashable {
    /// Schema and name.
    public var name: TableName
    /// In the server's order; generated columns included.
    public var columns: [Column]
    /// The names of the columns that identify a row, in key order; empty without a key.
    public var key: [String]
    /// What tells whether this is still the same table with the same meaning of its rows.
    public var identity: TableIdentity
    /// The table to load rows into when not this one: the root of hash partitions.
    public var loadsThrough: TableName?
    /// The name of its files where that is fixed by the format: `pg_largeobject`.
    public var fileName: String?
    /// Whether every backup holds it whole, unless nothing in it has changed: large objects.
    public var isTakenWhole = false
    /// A condition in the engine's SQL that selects the rows to store, without `WHERE`.
    public var filter: String?
    /// The greatest values of columns of times, by name, where an index tells them.
    public var latest: [String: String] = [:]
    /// How the engine parts its rows, in the engine's own words: equal words, equal parts.
    public var split = ""
    /// About how many bytes the server stores for it.
    public var estimatedBytes: Int

    /// Describes a table.
    public init(
        name: TableName, columns: [Column], key: [String], identity: TableIdentity,
        loadsThrough: TableName? = nil, filter: String? = nil, estimatedBytes: Int = 0
    ) {
        self.name = name
        self.columns = columns
        self.key = key
        self.identity = identity
        self.loadsThrough = loadsThrough
        self.filter = filter
        self.estimatedBytes = estimatedBytes
    }

    /// The columns of the CSV file, in its order.
    public var storedColumns: [Column] { columns.filter { !$0.isGenerated } }

    /// The positions of the key's columns among the stored ones, in key order.
    ///
    /// Empty when there is no key, or when it needs a generated column.
    public var keyPositions: [Int] { Self.positions(of: key, in: storedColumns.map(\.name)) }

    static func positions(of key: [String], in columns: [String]) -> [Int] {
        let stored = columns.map(ExactText.init)
        let positions = key.compactMap { stored.firstIndex(of: ExactText($0)) }
        return positions.count == key.count ? positions : []
    }
}

/// What tells whether a table is still the one that it was, with the same meaning of its rows.
public struct TableIdentity: Sendable, Hashable, Codable {
    /// The server's own number of the table.
    public var object: String
    /// The server's number of the table's files; changes when the table is rewritten.
    public var storage: String
    /// A digest of everything that the text of the rows depends on, as far as types define it.
    public var textDigest: String

    /// Describes an identity.
    public init(object: String, storage: String, textDigest: String) {
        self.object = object
        self.storage = storage
        self.textDigest = textDigest
    }

    private enum CodingKeys: String, CodingKey {
        case object, storage
        case textDigest = "text_digest"
    }
}
