/// Parts of an archive, and the wholes above them.
extension PostgresArchive {
    /// The partitioned tables that some tables are parts of, at whatever height.
    func wholes(above tables: Set<Int>) -> Set<Int> {
        var wholes: Set<Int> = []
        var parts = tables
        while !parts.isEmpty {
            let above = parts.flatMap { wholesOfParts[$0] ?? [] }
            parts = Set(above).subtracting(wholes)
            wholes.formUnion(parts)
        }
        return wholes
    }

    /// What attaches wholes that are made only because their parts need them, and their indexes, to wholes of theirs.
    func attachments(ofWholesAbove tables: Set<Int>, among made: Set<Int>) -> [Entry] {
        let wholes = wholes(above: tables).intersection(made).subtracting(tables)
        guard !wholes.isEmpty else { return [] }
        let own = belongings(of: wholes)
        return entries.filter { entry in
            (entry.isA("TABLE ATTACH") || entry.isA("INDEX ATTACH")) && own.contains(entry.id)
        }
    }

    /// The index or key of a part that is attached to one of the whole.
    ///
    /// No name tells: an attachment is listed by its index alone, a key by its table, too. And the attachment of a key
    /// lists those of all wholes above.
    func attachedIndex(_ attachment: Entry) -> Int? {
        part(of: attachment).flatMap { index(of: [$0], for: attachment) }
    }

    /// The index or key of the whole that it is attached to.
    func indexOfWhole(_ attachment: Entry) -> Int? {
        part(of: attachment).flatMap { index(of: wholesOfParts[$0] ?? [], for: attachment) }
    }

    private func index(of tables: Set<Int>, for attachment: Entry) -> Int? {
        attachment.dependencies.first { id in
            self[id].map { $0.isIndexOrKey && !tables.isDisjoint(with: $0.dependencies) } ?? false
        }
    }

    /// The lowest of the tables whose indexes or keys an attachment lists.
    private func part(of attachment: Entry) -> Int? {
        let indexes = attachment.dependencies.compactMap { self[$0] }.filter { $0.isIndexOrKey }
        let tables = Set(indexes.flatMap(\.dependencies))
        let wholes = wholes(above: tables)
        return tables.first { table in
            !wholes.contains(table) && !tables.isDisjoint(with: wholesOfParts[table] ?? [])
        }
    }

    /// The archive as if a part were a table of its own: its indexes and keys need none of a whole.
    func detaching(_ part: Int) -> PostgresArchive {
        var archive = self
        let own = belongings(of: [part])
        for attachment in entries
        where attachment.isA("INDEX ATTACH") && own.contains(attachment.id) {
            guard let index = attachedIndex(attachment), let other = indexOfWhole(attachment)
            else { continue }
            archive.remove(dependency: other, of: index)
        }
        return archive
    }
}
