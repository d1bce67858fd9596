import BackupCore

/// What is written down about the moment of a snapshot.
struct PostgresMoment: Sendable {
    let moment: SnapshotMoment
    let extensions: [String]
    let blockBytes: Int
    let isStandby: Bool
    /// The log position behind everything that the snapshot sees; nil on a standby.
    let writtenUpTo: String?

    /// Takes the transaction's snapshot and describes it.
    ///
    /// The identity holds what tells clones, rollbacks and promotions apart; all of it is readable
    /// by any role.
    ///
    /// `oldestTransaction`: From before the snapshot.
    static func read(
        on connection: PostgresConnection, encoding: String, oldestTransaction: String?
    ) async throws -> PostgresMoment {
        let row =
            try await connection.rows(
                """
                SELECT pg_catalog.to_char(pg_catalog.statement_timestamp(),
                                          'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
                       pg_catalog.current_database(), pg_catalog.current_setting('server_version'),
                       pg_catalog.pg_snapshot_xmin(s), pg_catalog.pg_snapshot_xmax(s),
                       (SELECT system_identifier FROM pg_catalog.pg_control_system()),
                       (SELECT oid FROM pg_catalog.pg_database
                        WHERE datname = pg_catalog.current_database()),
                       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time(),
                                          'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
                       pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('block_size')
                FROM pg_catalog.pg_current_snapshot() s
                """
            ).first ?? []
        let isStandby = row[8] == "t"
        let log = try await logPosition(on: connection, isStandby: isStandby)
        let identity = [
            "snapshot_xmin": row[3], "snapshot_xmax": row[4], "system_identifier": row[5],
            "database_oid": row[6], "postmaster_start_time": row[7], "timeline": log.timeline,
            "lsn": log.position, "oldest_transaction": oldestTransaction,
        ]
        return PostgresMoment(
            moment: SnapshotMoment(
                time: Timestamp(row[0] ?? "") ?? .now, database: row[1] ?? "",
                defaultSchema: PostgresScope.defaultSchema,
                serverVersion: String((row[2] ?? "").prefix { $0 != " " }),
                consistency: "repeatable read snapshot under ACCESS SHARE locks"
                    + (isStandby ? ", on a standby" : ""),
                encoding: encoding, identity: identity.compactMapValues(\.self),
                databaseProperties: try await properties(on: connection)),
            extensions: try await connection.rows(
                """
                SELECT extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'
                ORDER BY extname
                """
            ).compactMap { $0[0] },
            blockBytes: Int(row[9] ?? "") ?? 8192, isStandby: isStandby,
            writtenUpTo: isStandby ? nil : log.position)
    }

    /// When the oldest transaction began that is open in the database, or the time now.
    ///
    /// Times that transactions write are at least as late as their beginning. Nil when it cannot be
    /// known: a prepared transaction does not tell, nor do other roles' sessions without the rights of
    /// `pg_read_all_stats`, and a standby does not show those of its primary.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/monitoring-stats.html>
    static func oldestTransaction(on connection: PostgresConnection) async throws -> String? {
        try await connection.value(
            """
            SELECT pg_catalog.to_char(
                LEAST(pg_catalog.clock_timestamp(), pg_catalog.min(a.xact_start)),
                'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
            FROM pg_catalog.pg_stat_activity a
            WHERE a.datid = (SELECT oid FROM pg_catalog.pg_database
                             WHERE datname = pg_catalog.current_database())
            HAVING NOT pg_catalog.pg_is_in_recovery()
              AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_prepared_xacts
                              WHERE database = pg_catalog.current_database())
              AND NOT pg_catalog.bool_or(
                (a.query = '<insufficient privilege>' OR a.state = 'disabled')
                AND EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
                            WHERE l.pid = a.pid AND l.locktype = 'virtualxid'
                              AND l.mode = 'ExclusiveLock'))
            """)
    }

    /// - SeeAlso: <https://www.postgresql.org/docs/current/functions-admin.html>
    private static func logPosition(
        on connection: PostgresConnection, isStandby: Bool
    ) async throws -> (position: String?, timeline: String?) {
        let query =
            isStandby
            ? """
            SELECT pg_catalog.pg_last_wal_replay_lsn(),
                   (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())
            """
            : """
            SELECT l, ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(l), 8))::bit(32)::integer
            FROM pg_catalog.pg_current_wal_insert_lsn() l
            """
        let row = try await connection.rows(query).first ?? [nil, nil]
        return (row[0], row[1])
    }

    /// What `CREATE DATABASE` needs; columns differ between versions, hence the detour by JSON.
    static func properties(
        on connection: PostgresConnection
    ) async throws -> [String: String] {
        let row =
            try await connection.rows(
                """
                SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype,
                       j ->> 'datlocprovider', coalesce(j ->> 'datlocale', j ->> 'daticulocale'),
                       j ->> 'daticurules'
                FROM (SELECT d.*, pg_catalog.to_jsonb(d) AS j FROM pg_catalog.pg_database d
                      WHERE datname = pg_catalog.current_database()) d
                """
            ).first ?? []
        let names = ["encoding", "collate", "ctype", "locale_provider", "locale", "icu_rules"]
        var properties = Dictionary(zip(names, row).map { ($0, $1) }) { first, _ in first }
            .compactMapValues(\.self)
        let settings = try await connection.rows(
            """
            SELECT pg_catalog.unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
            JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
            WHERE d.datname = pg_catalog.current_database() AND s.setrole = 0
            """)
        for setting in settings.compactMap({ $0[0] }) {
            let parts = setting.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            properties["setting.\(parts[0])"] = parts.count == 2 ? String(parts[1]) : ""
        }
        return properties
    }

    /// The roles that own things in scope or have privileges on them, and those that own.
    ///
    /// The role that made the server is among no dependencies: what it owns is asked of every catalog that has owners.
    ///
    /// `objects`: What is in scope, by the oids of its catalog and its own; nil for everything.
    /// `leftOut`: The oids of tables and sequences that the backup lacks all the same, and with them policies and statistics.
    static func roles(
        of objects: [(catalog: String, object: String)]?, without leftOut: [String],
        on connection: PostgresConnection
    ) async throws -> (all: [String], owners: [String]) {
        let rows = try await connection.rows(
            rolesQuery,
            [
                objects.map { PostgresCatalog.array($0.map(\.catalog)) },
                objects.map { PostgresCatalog.array($0.map(\.object)) },
                PostgresCatalog.array(leftOut),
            ])
        return (rows.compactMap { $0[0] }, rows.filter { $0[1] == "t" }.compactMap { $0[0] })
    }

    /// The catalogs of what has an owner, and the columns that name it.
    private static let owners = [
        ("pg_class", "relowner"), ("pg_namespace", "nspowner"), ("pg_proc", "proowner"),
        ("pg_collation", "collowner"), ("pg_conversion", "conowner"), ("pg_operator", "oprowner"),
        ("pg_opclass", "opcowner"), ("pg_opfamily", "opfowner"), ("pg_ts_config", "cfgowner"),
        ("pg_ts_dict", "dictowner"), ("pg_statistic_ext", "stxowner"), ("pg_language", "lanowner"),
        ("pg_foreign_data_wrapper", "fdwowner"), ("pg_foreign_server", "srvowner"),
        ("pg_event_trigger", "evtowner"), ("pg_publication", "pubowner"),
        ("pg_default_acl", "defaclrole"),
    ]

    private static let owned = owners.map { catalog, owner in
        "SELECT 'pg_catalog.\(catalog)'::regclass, oid, \(owner) FROM pg_catalog.\(catalog)"
            + (catalog == "pg_class" ? " WHERE relkind NOT IN ('i', 'I', 't', 'c')" : "")
    }.joined(separator: " UNION ALL ")

    /// What comes along with what a script makes has its owner, or the role that made the server: nothing names that.
    ///
    /// The former are indexes and what holds long values, row types, arrays and multiranges; the latter the functions of
    /// ranges. That role owns the schemas of temporary tables as well, which stay when these are gone.
    ///
    /// Subscriptions are not asked: where one is made the script names its owner, and a drill makes none. A part of a whole
    /// that is left out may be there, though it depends on it as a policy does.
    private static let rolesQuery = """
        WITH RECURSIVE temporary(catalog, object) AS (
          SELECT 'pg_catalog.pg_namespace'::regclass::oid, oid FROM pg_catalog.pg_namespace
          WHERE nspname ~ '^pg_(toast_)?temp_'
          UNION
          SELECT d.classid, d.objid FROM temporary t
          JOIN pg_catalog.pg_depend d ON d.refclassid = t.catalog AND d.refobjid = t.object
          WHERE t.catalog = 'pg_catalog.pg_namespace'::regclass OR d.deptype IN ('a', 'i')
        ), owned(catalog, object, owner) AS (
          \(owned)
          UNION ALL
          SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typowner FROM pg_catalog.pg_type t
          LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
          WHERE (c.oid IS NULL OR c.relkind = 'c')
            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
          UNION ALL
          SELECT 'pg_catalog.pg_largeobject'::regclass, oid, lomowner
          FROM pg_catalog.pg_largeobject_metadata
        ), used(catalog, object, oid, owns) AS (
          SELECT d.classid, d.objid, d.refobjid, d.deptype = 'o' FROM pg_catalog.pg_shdepend d
          JOIN pg_catalog.pg_database b ON b.oid = d.dbid
          WHERE b.datname = pg_catalog.current_database()
            AND d.refclassid = 'pg_catalog.pg_authid'::regclass
            AND d.classid <> 'pg_catalog.pg_extension'::regclass
          UNION ALL
          SELECT catalog, object, owner, true FROM owned WHERE object >= 16384
          UNION ALL
          SELECT 'pg_catalog.pg_user_mapping'::regclass, umid, umuser, false
          FROM pg_catalog.pg_user_mappings)
        SELECT r.rolname, pg_catalog.bool_or(u.owns) FROM used u
        JOIN pg_catalog.pg_roles r ON r.oid = u.oid
        WHERE r.rolname !~ '^pg_'
          AND ($1::oid[] IS NULL OR (u.catalog, u.object) IN (
            SELECT s.catalog, s.object
            FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::oid[]))
              s(catalog, object)))
          AND (u.catalog, u.object) NOT IN (SELECT catalog, object FROM temporary)
          AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_depend e
            WHERE e.classid = u.catalog AND e.objid = u.object
              AND (e.deptype = 'e' OR e.deptype = 'i' AND e.classid IN (
                     'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_type'::regclass)))
          AND NOT (u.catalog = 'pg_catalog.pg_class'::regclass AND u.object = ANY ($3::oid[]))
          AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_depend d
            WHERE d.classid = u.catalog AND d.objid = u.object AND d.deptype = 'a'
              AND d.classid <> 'pg_catalog.pg_class'::regclass
              AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ANY ($3::oid[]))
        GROUP BY r.rolname ORDER BY r.rolname
        """
}
