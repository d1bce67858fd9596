import BackupCore

/// Schemas in which others may make things.
extension PostgresArchiveRestore {
    /// Schemas, and what is said of them, where rights on some are given: nothing of this has to wait.
    ///
    /// Who is given a thing must be allowed to make things in its schema, and pg_restore gives rights when all else is made,
    /// in whatever order a list has them. A superuser gives things to anybody.
    func openedSchemas(among entries: Set<Int>) -> Set<Int> {
        let grants = aboutSchemas(["ACL"], among: entries)
        guard givesPrivilegesLate, !(grants.isEmpty && closing.isEmpty) else { return [] }
        return archive.entries(of: "SCHEMA", among: entries).union(grants).union(
            aboutSchemas(["COMMENT", "SECURITY LABEL"], among: entries))
    }

    /// Makes these alone, one by one.
    ///
    /// Gives what could not be made.
    func openSchemas() async throws -> [String] {
        try await make(
            "create the structure", nil, openedSchemas(among: beforeRows).subtracting(made),
            failuresAreExpected: request.lacksTables)
    }

    /// What is granted on schemas that are closed with the end: owners of what is made in these need it before.
    func grantsOnClosedSchemas(
        _ schemas: Set<Int>? = nil, major: Int
    ) async throws -> PostgresScript {
        try await script(schemas ?? closing, sections: [], major: major).grants
    }

    /// `grants`: What the archive says of rights on `public`.
    static func closesPublicSchema(
        in script: [UInt8], list: [UInt8], _ grants: Set<Int>
    ) -> Bool {
        let mark = " Dumped by pg_dump version: "
        let version = String(decoding: list, as: UTF8.self).split(separator: "\n")
            .first { $0.contains(mark) }?.split(separator: ":").last
        let major = version.flatMap { Int($0.drop { $0 == " " }.prefix { $0.isNumber }) } ?? 0
        let opening = PostgresVerboseScript.entries(of: script) { line in
            let words = String(decoding: line, as: UTF8.self)
            return words.hasSuffix(" ON SCHEMA public TO PUBLIC;")
                && (words.hasPrefix("GRANT ALL ") || words.contains("CREATE"))
        }
        return major >= 15 && opening.isDisjoint(with: grants)
    }

    private func aboutSchemas(_ kinds: [String], among ids: Set<Int>) -> Set<Int> {
        let beginnings = kinds.map { "\($0) - SCHEMA " }
        let found = archive.entries.filter { entry in
            ids.contains(entry.id) && beginnings.contains { entry.words.startsExactly(with: $0) }
                // A schema of an extension comes with that.
                && (entry.dependencies.contains { archive[$0]?.isA("SCHEMA") ?? false }
                    || beginnings.contains { entry.words.startsExactly(with: "\($0)public ") })
        }
        return Set(found.map(\.id))
    }
}
