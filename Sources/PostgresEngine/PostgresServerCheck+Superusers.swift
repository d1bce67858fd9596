import BackupCore

/// What a role needs to be a superuser for.
extension PostgresServerCheck {
    /// The entries of an archive that the restoring role may not make.
    ///
    /// None where it may act for one of those that hosted servers have in the place of superusers: what these may do the
    /// server itself must tell.
    func forbidden(
        of archive: PostgresArchiveRestore, on connection: PostgresConnection,
        _ server: PostgresServer
    ) async throws -> Set<Int> {
        guard !server.isSuperuser, !archive.forSuperusers.isEmpty else { return [] }
        let stands = try await connection.value(
            """
            SELECT 1 FROM pg_catalog.pg_roles
            WHERE rolname = ANY ($1::text[]) AND pg_catalog.pg_has_role(oid, 'USAGE') LIMIT 1
            """, [SQLText.array(Self.inPlaceOfSuperusers)])
        return stands == nil ? archive.forSuperusers : []
    }

    private static let inPlaceOfSuperusers = [
        "azure_pg_admin", "cloudsqlsuperuser", "rds_superuser",
    ]
}
