/// The privileges that the restoring role's own defaults give to its large objects, and how to do without for a while.
///
/// Taken from what is made afterwards, as from tables, they would leave their trace: a large object with the privileges that
/// everyone gets has none written down, and is compared like that. So the defaults rest while a transaction makes some, and
/// are as they were when it commits; nobody else sees that.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html>, `LARGE OBJECTS` since version 18.
struct PostgresLargeObjectDefaults: Sendable {
    /// Statements that leave what PostgreSQL gives by itself.
    let suspension: String
    /// Statements that make the defaults what they were.
    let resumption: String

    /// Nil where the role has none.
    init?(_ connection: PostgresConnection) async throws {
        let row = try await connection.rows(Self.query).first
        guard let suspension = row?[0], let resumption = row?[1] else { return nil }
        self.suspension = suspension
        self.resumption = resumption
    }

    /// Each right is given again by itself, in its order.
    private static let query = """
        SELECT pg_catalog.format(
                 '\(defaults) REVOKE ALL ON LARGE OBJECTS FROM %s; \(defaults) GRANT ALL ON LARGE OBJECTS TO %I',
                 -- Where nobody has any, PUBLIC stands alone.
                 (SELECT pg_catalog.concat_ws(', ', 'PUBLIC',
                                              pg_catalog.string_agg(DISTINCT \(grantee), ', '))
                  FROM pg_catalog.aclexplode(d.defaclacl) a),
                 r.rolname),
               pg_catalog.concat_ws('; ',
                 pg_catalog.format('\(defaults) REVOKE ALL ON LARGE OBJECTS FROM %I', r.rolname),
                 (SELECT pg_catalog.string_agg(
                    pg_catalog.format('\(defaults) GRANT %s ON LARGE OBJECTS TO %s%s',
                      a.privilege_type, \(grantee),
                      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END),
                    '; ' ORDER BY a.position)
                  FROM pg_catalog.aclexplode(d.defaclacl) WITH ORDINALITY
                    a(grantor, grantee, privilege_type, is_grantable, position)))
        FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
        WHERE r.rolname = current_user AND d.defaclobjtype = 'L'
        """

    private static let defaults = "ALTER DEFAULT PRIVILEGES"

    private static let grantee = """
        CASE a.grantee WHEN 0 THEN 'PUBLIC'
          ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
        """
}
