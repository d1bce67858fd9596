/// A unique index on whole columns.
struct MySQLUniqueIndex: Sendable {
    let name: String
    /// Its columns, in order; of a key those that tell rows apart.
    let columns: [String]

    /// Whether it is the primary key, which every statement may be told to use.
    var isPrimary: Bool { name == "PRIMARY" }
}
