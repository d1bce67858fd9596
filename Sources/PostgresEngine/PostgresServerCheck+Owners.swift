import BackupCore

/// Owners of what a restore does more with than to make it and give it away.
extension PostgresServerCheck {
    /// Kinds that nothing is done with once they belong to somebody: everybody may use them.
    private static let kindsLeftAlone = [
        "AGGREGATE", "COLLATION", "CONVERSION", "DOMAIN", "FUNCTION", "OPERATOR", "OPERATOR CLASS",
        "OPERATOR FAMILY", "PROCEDURE", "SHELL TYPE", "TEXT SEARCH CONFIGURATION",
        "TEXT SEARCH DICTIONARY", "TYPE", "VIEW",
    ]

    /// Those of some owners whose rights are needed: rows, indexes, grants and comments come when things are theirs.
    ///
    /// `chosen`: The entries that are made.
    /// `hasLargeObjects`: Whether there are some; whom the archive does not name owns nothing else.
    func acting(
        _ owners: [String], in archive: PostgresArchive, chosen: Set<Int>, hasLargeObjects: Bool
    ) -> [String] {
        // Default privileges have been left out that the restoring role may not change.
        let kinds =
            Self.kindsLeftAlone + ["DEFAULT ACL"] + (request.omitsPrivileges ? ["ACL"] : [])
        let entries = archive.entries.filter { entry in
            chosen.contains(entry.id) && !kinds.contains(entry.kind)
        }
        let acting = Set(entries.compactMap(\.owner).map(ExactText.init))
        let known = Set(archive.owners.map(ExactText.init))
        return owners.filter { owner in
            let name = ExactText(owner)
            return acting.contains(name) || hasLargeObjects && !known.contains(name)
        }
    }

    /// What gives a role the rights of others that it may act for.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/role-membership.html>
    static func inheritance(of roles: [String], by user: String, major: Int) -> [String] {
        let role = SQLText.identifier(user)
        guard major >= 16 else { return ["  ALTER ROLE \(role) INHERIT;"] }
        return roles.map { "  GRANT \(SQLText.identifier($0)) TO \(role) WITH INHERIT TRUE;" }
    }
}
