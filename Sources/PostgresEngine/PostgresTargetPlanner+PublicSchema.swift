import BackupCore

/// The schema `public`, which is in every database.
extension PostgresTargetPlanner {
    /// Every database has it: archives hold an entry of it, which makes nothing, for its owner, grants and comment.
    var publicSchema: Set<Int> {
        guard request.isWhole else { return [] }
        return Set(
            archive.entries.filter { entry in
                entry.kind == "SCHEMA" && names.name(of: entry).isExactly("public")
            }.map(\.id))
    }

    static let schemaStaysAsItIs =
        "schema public stays as it is: its owner, grants and comment are its owner's to change"

    /// Its grants and comment where it is not the restoring role's to change, and has no entry: since version 15 an archive
    /// has one only if it is not the database owner's.
    var aboutPublicSchemaOfOthers: Set<Int> {
        guard request.isWhole, !mayGrantOnSchema, presence.hasSchema("public"),
            publicSchema.isEmpty
        else { return [] }
        return Set(
            archive.entries.filter { entry in
                ["ACL", "COMMENT", "SECURITY LABEL"].contains { kind in
                    entry.words.startsExactly(with: "\(kind) - SCHEMA public ")
                        && !entry.dependencies.contains { archive[$0]?.isA("SCHEMA") ?? false }
                }
            }.map(\.id))
    }

    /// Whether the role has the rights of whom the schema `public` belongs to.
    var mayGrantOnSchema: Bool { !presence.publicSchemaOwners.isEmpty }

    /// Whether the schema `public` may be given to whom the entry says.
    func mayChangeSchema(_ entry: Int) -> Bool {
        guard !request.omitsOwners else { return mayGrantOnSchema }
        let owner = archive[entry]?.owner.map(ExactText.init)
        return owner.map(presence.publicSchemaOwners.contains) ?? false
    }
}
