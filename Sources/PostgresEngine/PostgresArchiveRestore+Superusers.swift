/// What no role may make that is no superuser, even for itself.
extension PostgresArchiveRestore {
    /// The numbers of event triggers, and of publications of all tables and of all tables of schemas.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/sql-createpublication.html>
    static func forSuperusers(in script: [UInt8], of archive: PostgresArchive) -> Set<Int> {
        let beginning = Array("CREATE PUBLICATION ".utf8)
        let ofAllTables = PostgresVerboseScript.entries(of: script) { line in
            guard line.starts(with: beginning) else { return false }
            let words = SQLTokens(Array(line)).tokens.filter { !$0.isSpace }
            return words.dropFirst(3).prefix(2).map(\.keyword) == ["FOR", "ALL"]
        }
        return archive.entries(of: "EVENT TRIGGER", among: archive.all)
            .union(archive.entries(of: "PUBLICATION TABLES IN SCHEMA", among: archive.all))
            .union(archive.entries(of: "PUBLICATION", among: ofAllTables))
    }

    /// Those of some entries that the server may refuse to who restores, with what rests on them.
    ///
    /// What a role may make that stands in the place of a superuser the server alone knows.
    func forSuperusers(among entries: Set<Int>) -> Set<Int> {
        guard givesPrivilegesLate else { return [] }
        return archive.dependents(of: forSuperusers.intersection(entries), among: entries)
    }
}
