/// How many more connections a role may have.
struct PostgresRoom: Sendable {
    let free: Int
    /// What sets the limit, for people.
    let limit: String

    /// - SeeAlso: <https://www.postgresql.org/docs/current/runtime-config-connection.html>
    init(_ connection: PostgresConnection) async throws {
        let row =
            try await connection.rows(
                """
                WITH role AS (SELECT oid, rolsuper, rolconnlimit FROM pg_catalog.pg_roles
                              WHERE rolname = session_user),
                base AS (SELECT oid, datconnlimit FROM pg_catalog.pg_database
                         WHERE datname = pg_catalog.current_database()),
                used AS (SELECT a.* FROM pg_catalog.pg_stat_activity a
                         WHERE a.backend_type IS NULL OR a.backend_type = 'client backend')
                SELECT l.free, l.words FROM (
                  SELECT s.setting::integer - r.reserved - (SELECT pg_catalog.count(*) FROM used),
                         'max_connections = ' || s.setting
                  FROM pg_catalog.pg_settings s, (
                    SELECT coalesce(pg_catalog.sum(o.setting::integer), 0)::integer
                    FROM pg_catalog.pg_settings o, role
                    WHERE NOT role.rolsuper AND o.name IN
                      ('superuser_reserved_connections', 'reserved_connections')) r(reserved)
                  WHERE s.name = 'max_connections'
                  UNION ALL
                  SELECT role.rolconnlimit - (SELECT pg_catalog.count(*) FROM used
                                              WHERE usesysid = role.oid),
                         'CONNECTION LIMIT ' || role.rolconnlimit || ' of the role'
                  FROM role WHERE role.rolconnlimit >= 0 AND NOT role.rolsuper
                  UNION ALL
                  SELECT base.datconnlimit - (SELECT pg_catalog.count(*) FROM used
                                              WHERE datid = base.oid),
                         'CONNECTION LIMIT ' || base.datconnlimit || ' of the database'
                  FROM base, role WHERE base.datconnlimit >= 0 AND NOT role.rolsuper
                ) l(free, words)
                ORDER BY l.free LIMIT 1
                """
            ).first ?? []
        free = row.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
        limit = row.last.flatMap { $0 } ?? ""
    }

    /// A connection for one who only watches; nil when none can be had, or when the work itself would
    /// lack one of `needed` then.
    ///
    /// `leader` is asked before: one that is made and closed again keeps its place until the server has
    /// seen it go.
    static func spareConnection(
        _ settings: PostgresSettings, beside leader: PostgresConnection, needed: Int,
        encoding: String, side: PostgresSession.Side
    ) async -> PostgresConnection? {
        do {
            guard try await PostgresRoom(leader).free > needed else { return nil }
            let connection = try await PostgresConnection(settings)
            try await PostgresSession.pin(connection, encoding: encoding, side: side)
            try await connection.execute("SET statement_timeout = '5s'")
            return connection
        } catch {
            return nil
        }
    }
}
