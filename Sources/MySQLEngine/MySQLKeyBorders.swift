import BackupCore

/// Keys of rows between which a table is read in ranges.
///
/// Each range begins with its border and ends before the next one, the first has no beginning and the last no end. That
/// every row is in exactly one of them rests on the borders being in the server's own order, which whoever finds them
/// proves, and on that order still being the same, which the mark tells.
struct MySQLKeyBorders: Sendable {
    /// A column of the key, and how its values are written.
    struct Column: Sendable {
        let name: String
        let order: MySQLKeyOrder
    }

    /// The text of a value for each column.
    typealias Key = [String]

    let columns: [Column]
    let keys: [Key]

    init(_ columns: [Column], _ keys: [Key]) {
        (self.columns, self.keys) = (columns, keys)
    }

    // MARK: As a split

    private static let word = "keys"

    /// What the order of keys depends on: the server's version, and the collations.
    static func mark(_ columns: [Column], version: String) -> String {
        "\(version)/\(columns.map(\.order.name).joined(separator: ","))"
    }

    /// The borders as the text of a split: `keys|MARK|1,2024-01-01|7,2024-05-05`.
    func split(mark: String) -> String {
        ([Self.word, mark] + keys.map { $0.joined(separator: ",") }).joined(separator: "|")
    }

    /// - Returns: Nil where the text is no split of this kind, or its mark is another.
    init?(split: String, of columns: [Column], mark: String) {
        let parts = split.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 2, parts[0] == Self.word, parts[1] == mark else { return nil }
        let keys = parts.dropFirst(2).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        guard keys.allSatisfy({ Self.isValid($0, columns) }) else { return nil }
        self.init(columns, Array(keys))
    }

    static func isValid(_ key: Key, _ columns: [Column]) -> Bool {
        key.count == columns.count
            && zip(key, columns).allSatisfy { $1.order.isValid($0) }
    }

    // MARK: As conditions

    /// What the rows of each range fulfil.
    var conditions: [[String]] {
        let borders = keys.map(Optional.some)
        return zip([nil] + borders, borders + [nil]).map { lower, upper in
            Self.conditions(columns, from: lower.map { ($0, true) }, to: upper)
        }
    }

    /// What rows fulfil whose keys are not below one key, or are above it, and are below another.
    ///
    /// Servers answer comparisons of whole rows badly, so these are taken apart.
    static func conditions(
        _ columns: [Column], from lower: (key: Key, isIncluded: Bool)?, to upper: Key?
    ) -> [String] {
        var common = 0
        if let lower, let upper {
            common =
                zip(columns.dropLast(), zip(lower.key, upper)).prefix { column, values in
                    column.order.keepsOrder && values.0 == values.1
                }.count
        }
        let shared = zip(columns, lower?.key ?? []).prefix(common).map { equal($0, $1) }
        let rest = columns[common...]
        return shared
            + (lower.map {
                [above(rest, $0.key[common...], isIncluded: $0.isIncluded)]
            } ?? [])
            + (upper.map { [below(rest, $0[common...])] } ?? [])
    }

    /// What the rows of a key fulfil.
    static func equal(_ columns: [Column], _ key: Key) -> [String] {
        zip(columns, key).map { equal($0, $1) }
    }

    private static func equal(_ column: Column, _ value: String) -> String {
        compare(column, "=", value)
    }

    private static func above(
        _ columns: ArraySlice<Column>, _ key: ArraySlice<String>, isIncluded: Bool
    ) -> String {
        guard let column = columns.first, let value = key.first else { return "TRUE" }
        guard columns.count > 1 else { return compare(column, isIncluded ? ">=" : ">", value) }
        let rest = above(columns.dropFirst(), key.dropFirst(), isIncluded: isIncluded)
        return "(\(compare(column, ">", value)) OR (\(equal(column, value)) AND \(rest)))"
    }

    private static func below(_ columns: ArraySlice<Column>, _ key: ArraySlice<String>) -> String {
        guard let column = columns.first, let value = key.first else { return "TRUE" }
        guard columns.count > 1 else { return compare(column, "<", value) }
        let rest = below(columns.dropFirst(), key.dropFirst())
        return "(\(compare(column, "<", value)) OR (\(equal(column, value)) AND \(rest)))"
    }

    static func compare(_ column: Column, _ sign: String, _ value: String) -> String {
        "\(MySQLText.identifier(column.name)) \(sign) \(column.order.literal(value))"
    }
}
