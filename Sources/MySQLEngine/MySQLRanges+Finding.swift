import BackupCore

/// Which way a table is divided: asks the server, within the moment that is read.
extension MySQLRanges {
    static func find(
        of relation: MySQLCatalog.Relation, _ index: MySQLUniqueIndex?, _ columns: [MySQLColumn],
        on connection: MySQLConnection, _ server: MySQLServer,
        size: MySQLRangeSize = MySQLRangeSize()
    ) async throws -> MySQLRanges {
        let key = Self.columns(of: index, among: columns.filter { !$0.column.isGenerated })
        let version = "\(server.product.rawValue) \(server.version)"
        var bounds: ClosedRange<Int>?
        guard relation.isInOrder else {
            return MySQLRanges(key: key, bounds: nil, version: version, split: "")
        }
        if relation.bytes >= size.leastBytes {
            bounds = try await Self.bounds(of: key.first, in: relation.name, on: connection)
        }
        func ranges(_ split: String) -> MySQLRanges {
            MySQLRanges(key: key, bounds: bounds, version: version, split: split)
        }
        let count = size.count(relation)
        let even = ranges(bounds.flatMap { Self.split($0, into: count) } ?? "")
        let ordered = Self.ordered(key)
        guard count > 1, let index, !ordered.isEmpty else { return even }
        let search = MySQLBorderSearch(
            connection: connection, table: relation.name, index: index, columns: ordered,
            rows: relation.rowEstimate, count: min(count, size.mostBorders))
        if !even.split.isEmpty, try await search.areEven(even.conditions(even.split)) {
            return even
        }
        guard let borders = try await search.borders() else { return even }
        return ranges(borders.split(mark: MySQLKeyBorders.mark(ordered, version: version)))
    }

    /// The least and the greatest number of the key's first column, by its scale; nil where it has none, and for
    /// numbers beyond 63 bits.
    private static func bounds(
        of first: MySQLColumn?, in table: TableName, on connection: MySQLConnection
    ) async throws -> ClosedRange<Int>? {
        guard let first, let scale = first.scale else { return nil }
        let name = MySQLText.identifier(first.column.name)
        let row =
            try await connection.rows(
                """
                SELECT \(scale.number(of: "MIN(\(name))")), \(scale.number(of: "MAX(\(name))"))
                FROM \(MySQLText.qualified(table))
                """
            ).first ?? [nil, nil]
        guard let least = row[0].flatMap({ Int($0) }), let greatest = row[1].flatMap({ Int($0) }),
            scale.least <= least, least <= greatest
        else { return nil }
        return least...greatest
    }
}
