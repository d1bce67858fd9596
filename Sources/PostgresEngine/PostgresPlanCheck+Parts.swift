import BackupCore

/// Parts that are replaced without the other parts of their whole.
extension PostgresPlanCheck {
    /// The hash of an enum's label is another one wherever the type is made: rows that the backup has in one part may lie in
    /// another one here, and would go with it.
    ///
    /// - Throws: `BackupError.targetUnsuitable`.
    func checkPartsReplacedAlone() async throws {
        let names = PostgresArchiveNames(archive.archive, request)
        let dropped = plan.drops.compactMap { archive.archive[$0] }.filter(\.isTable).map(
            names.table)
        let emptied = plan.target.tables.filter { $0.value.treatment == .truncate }.map(\.value)
        let replaced = Set(dropped + emptied.map(\.load.table))
        guard replaced.contains(where: { found.presence.relations[$0]?.parent != nil }) else {
            return
        }
        let complete = Set(PostgresParts(found.presence).wholes(of: replaced.sorted()))
        let numbers = Dictionary(
            request.storedTables.map { ($0.load.table, $0.object) }
        ) { first, _ in first }
        let spread = Set(
            try await found.connection.rows(Self.wholesSpreadByEnums)
                .map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
        ).subtracting(complete).subtracting(replaced)
        for part in replaced.sorted() where numbers[part] != found.presence.relations[part]?.oid {
            var above = found.presence.relations[part]?.parent
            while let table = above, !spread.contains(table) {
                above = found.presence.relations[table]?.parent
            }
            guard let whole = above else { continue }
            throw BackupError(
                .targetUnsuitable,
                "\(part) cannot be replaced alone: rows that the backup has in other parts of \(whole) may lie in it, "
                    + "which is divided by hashes of an enum",
                hint: "Restore \(whole) with all its parts, or this one beside it with --as NAME.")
        }
    }

    private static let wholesSpreadByEnums = """
        SELECT n.nspname, c.relname FROM pg_catalog.pg_partitioned_table p
        JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE p.partstrat = 'h' AND EXISTS (
          SELECT 1 FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_catalog.pg_type e ON e.oid = NULLIF(t.typelem, 0)
          WHERE a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::smallint[])
            AND 'e' IN (t.typtype, e.typtype,
              (SELECT b.typtype FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype)))
        """
}
