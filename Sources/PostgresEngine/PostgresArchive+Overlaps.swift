import BackupCore

/// Constraints that forbid overlaps: for the likes of integers these need `btree_gist`, which no archive says.
extension PostgresArchive {
    /// As `pg_restore --verbose` writes the script.
    mutating func addExtensionOfOverlaps(from script: [UInt8]) {
        let gist = entries.first { $0.words.startsExactly(with: "EXTENSION - btree_gist ") }
        guard let gist else { return }
        let forbidding = PostgresVerboseScript.entries(of: script) { bytes in
            let line = String(decoding: bytes, as: UTF8.self)
            return line.contains(" EXCLUDE USING gist ") || line.contains(" WITHOUT OVERLAPS")
        }
        add(
            dependency: gist.id,
            of: forbidding.intersection(entries(of: "CONSTRAINT", among: all)))
    }
}
