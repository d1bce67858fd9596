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

    /// What helps where the server refuses to let a large object be filled that was given away; nil where that is not why.
    ///
    /// Who owns one is known of no role that owns something else besides.
    func adviceOnLargeObjects(
        _ connection: PostgresConnection, major: Int
    ) async throws -> String? {
        let unused = try await roles(request.definition.owners, without: "USAGE", connection)
        let user = try await connection.value("SELECT current_user") ?? ""
        guard !unused.isEmpty else { return nil }
        let statements = Self.inheritance(of: unused, by: user, major: major)
        return """
            Role \(user) lacks the rights of whoever owns large objects. Run as a superuser, or as whoever may grant \
            these roles:
            \(statements.joined(separator: "\n"))
            Then run the same restore again: it goes on with what is missing.
            """
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
