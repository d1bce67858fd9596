import BackupCore

/// Comments on extensions, by a role that is no superuser.
extension PostgresTarget {
    /// Comments on those that belong to the role, as it has made them; tells of others that lose another comment than they have.
    func commentOnExtensions() async throws {
        let comments = archive.plan.extensionComments.sorted()
        guard !comments.isEmpty else { return }
        let names = PostgresArchiveNames(archive.archive, request)
        // On a connection of its own: the scripts change settings of its session.
        try await run("comment on extensions", on: try await fresh()) { connection in
            let there = try await connection.rows(Self.extensions)
            for comment in comments {
                let things = archive.archive[comment]?.dependencies ?? []
                guard
                    let entry = things.compactMap({ archive.archive[$0] }).first(
                        where: \.isExtension),
                    let row = there.first(where: {
                        $0[0]?.isExactly(names.name(of: entry)) ?? false
                    })
                else { continue }
                let script = try await archive.script(
                    [comment], sections: [], major: server.major)
                guard row[1] != "t" else {
                    try await Self.inTransaction(on: connection) {
                        try await script.run(on: connection, to: "comment on extensions")
                    }
                    continue
                }
                guard !script.text.contains(" IS \(SQLText.literal(row[3] ?? ""));") else {
                    continue
                }
                request.notes(
                    "warning: not made: the comment on extension \(row[0] ?? ""), which belongs to role \(row[2] ?? "")"
                )
            }
        }
    }

    private static let extensions = """
        SELECT extname, pg_catalog.pg_has_role(extowner, 'USAGE'),
               pg_catalog.pg_get_userbyid(extowner),
               pg_catalog.obj_description(oid, 'pg_extension')
        FROM pg_catalog.pg_extension
        """
}

extension PostgresArchive.Entry {
    fileprivate var isExtension: Bool { isA("EXTENSION") }
}
