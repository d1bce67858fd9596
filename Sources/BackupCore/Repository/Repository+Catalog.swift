extension Repository {
    /// Writes the catalog anew from what lies in the repository.
    ///
    /// `failure`: A run that failed; it lives in the catalog only.
    public func rebuildCatalog(adding failure: Catalog.Entry? = nil) async throws {
        let name = try StorageName([RepositoryLayout.catalog])
        let lock = try RepositoryLayout.catalogLock()
        try await withBriefLock(lock, holder: "catalog") {
            // Whoever was cut off here held this lock, and holds it no more.
            try await storage.removeUnfinishedWrites(in: nil) { $0 == RepositoryLayout.catalog }
            var failures = try await knownFailures()
            if let failure { failures.append(failure) }
            let contents = try await contents()
            let catalog = Catalog(points: contents.points, failures: failures)
            try await storage.write(name, bytes: JSONFile.bytes(of: catalog))
            try await rebuildManifests(contents)
        }
    }

    /// The same for who has done its work: what is there is whole, and a catalog can be made again.
    func rebuildCatalog(orNote note: (String) -> Void) async {
        do {
            try await rebuildCatalog()
        } catch {
            let reason = (error as? BackupError)?.message ?? "interrupted"
            note("warning: the catalog could not be written: \(reason)")
        }
    }

    /// The failed runs that the catalog remembers; none when it is missing or damaged.
    public func knownFailures() async throws -> [Catalog.Entry] {
        let name = try StorageName([RepositoryLayout.catalog])
        guard try await storage.entry(name) != nil else { return [] }
        do {
            let bytes = try await storage.bytes(of: name)
            return try JSONFile.value(Catalog.self, from: bytes, file: "\(name)").failures
                .filter(\.hasPossibleNumbers)
        } catch let error as BackupError where error.code != .storageFailed {
            // A view: what is damaged is made again, at the price of the failures it remembered.
            return []
        }
    }
}
