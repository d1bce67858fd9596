/// How many rows a table has, and the sum of their hashes modulo 2^64.
///
/// Free of order: under one hash seed, equal fingerprints mean equal tables.
public struct Fingerprint: Sendable, Hashable {
    /// The number of rows.
    public var rows: Int
    /// The sum of the row hashes modulo 2^64.
    public var sum: UInt64

    /// Describes rows that were hashed elsewhere; no rows by default.
    public init(rows: Int = 0, sum: UInt64 = 0) {
        self.rows = rows
        self.sum = sum
    }

    /// Takes one row's hash.
    public mutating func add(rowHash: UInt64) {
        rows += 1
        sum &+= rowHash
    }

    /// Takes the rows of another part of the same table.
    public static func += (left: inout Fingerprint, right: Fingerprint) {
        left.rows += right.rows
        left.sum &+= right.sum
    }
}
