import BackupCore

/// Takes from what a restore makes the privileges that the target's own defaults gave it.
///
/// An archive says of privileges only how they differ from those that PostgreSQL gives by itself, and `ALTER DEFAULT
/// PRIVILEGES` of the restoring role are beside these: whom the source had taken a table from could read it in the target.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html>
struct PostgresDefaultPrivileges {
    let archive: PostgresArchiveRestore
    let request: TargetRequest
    let renaming: PostgresRenaming?
    let major: Int

    /// Leaves what some entries have made with the privileges of the archive.
    ///
    /// In the transaction that is open, on a connection of its own: what is granted again is a script.
    func undo(for entries: Set<Int>, on connection: PostgresConnection) async throws {
        // Without grants, what is restored is to have those that are usual in the target.
        guard !request.omitsPrivileges, try await exist(on: connection) else { return }
        let made = keys(of: entries)
        var undone: Set<Int> = []
        for row in try await connection.rows(Self.differences) {
            let words = row.prefix(3).map { $0 ?? "" }.joined(separator: " ")
            guard let entry = made[ExactText(PostgresPresence.asInList(words))],
                let statements = row[3]
            else { continue }
            try await connection.execute(statements)
            undone.insert(entry)
        }
        let script = try await archive.grants(of: undone, major: major)
        guard !script.bytes.isEmpty else { return }
        try await (renaming?.applied(to: script) ?? script).run(
            on: connection, to: "give privileges")
    }

    private func exist(on connection: PostgresConnection) async throws -> Bool {
        try await connection.value(
            """
            SELECT 1 FROM pg_catalog.pg_default_acl a
            JOIN pg_catalog.pg_roles r ON r.oid = a.defaclrole
            WHERE r.rolname = current_user LIMIT 1
            """) != nil
    }

    /// The entries by kind, schema and name in the target, as archives list them.
    private func keys(of entries: Set<Int>) -> [ExactText: Int] {
        let names = PostgresArchiveNames(archive.archive, request)
        let owners = PostgresArchiveNames.owners(request)
        var keys: [ExactText: Int] = [:]
        for entry in archive.archive.entries where entries.contains(entry.id) {
            if entry.isRelation, let name = renaming?.names[names.table(entry)] {
                let words = "\(entry.kind) \(name.schema) \(name.name)"
                keys[ExactText(PostgresPresence.asInList(words))] = entry.id
                continue
            }
            for owner in entry.owner.map({ [$0] }) ?? owners {
                let (words, end) = (entry.words.utf8, " \(owner)".utf8)
                guard words.reversed().starts(with: end.reversed()) else { continue }
                let key = String(decoding: words.dropLast(end.count), as: UTF8.self)
                keys[ExactText(key)] = entry.id
            }
        }
        return keys
    }

    /// Everything whose privileges are not those that PostgreSQL gives by itself, and the statements that make them so.
    ///
    /// Who was granted something may have passed it on, and so may the archive's grants, which are given again.
    /// `ALL` is the one privilege that everybody has on functions and types.
    private static let differences = """
        SELECT o.kind, o.schema, o.tag,
               pg_catalog.format('REVOKE ALL ON %1$s FROM %2$s CASCADE; GRANT ALL ON %1$s TO %3$s', o.thing,
                 -- Where nobody has any, PUBLIC stands alone.
                 (SELECT pg_catalog.concat_ws(', ', 'PUBLIC',
                                              pg_catalog.string_agg(DISTINCT \(grantee), ', '))
                  FROM pg_catalog.aclexplode(o.acl) a),
                 (SELECT pg_catalog.string_agg(DISTINCT \(grantee), ', ')
                  FROM pg_catalog.aclexplode(o.standard) a))
        FROM (
          SELECT CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW'
                   WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                 n.nspname, c.relname::text,
                 pg_catalog.format(CASE c.relkind WHEN 'S' THEN 'SEQUENCE %I.%I'
                                   ELSE 'TABLE %I.%I' END, n.nspname, c.relname),
                 c.relacl,
                 pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
                                       c.relowner)
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
          UNION ALL
          SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE'
                   ELSE 'FUNCTION' END, n.nspname,
                 p.proname || '(' || CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
                   ELSE pg_catalog.array_to_string(ARRAY(
                     SELECT pg_catalog.format_type(a.type, NULL)
                     FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, i)
                     ORDER BY a.i), ', ') END || ')',
                 'ROUTINE ' || p.oid::regprocedure::text, p.proacl,
                 pg_catalog.acldefault('f', p.proowner)
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          UNION ALL
          SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname,
                 t.typname::text, pg_catalog.format('TYPE %I.%I', n.nspname, t.typname), t.typacl,
                 pg_catalog.acldefault('T', t.typowner)
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
          UNION ALL
          SELECT 'SCHEMA', '-', nspname::text, pg_catalog.format('SCHEMA %I', nspname), nspacl,
                 pg_catalog.acldefault('n', nspowner)
          FROM pg_catalog.pg_namespace
          -- Every database has it, and made it with privileges of its own.
          WHERE nspname <> 'public'
        ) o(kind, schema, tag, thing, acl, standard)
        WHERE o.schema !~ '^pg_' AND o.schema <> 'information_schema'
          AND o.acl IS NOT NULL AND EXISTS (
          (SELECT * FROM pg_catalog.aclexplode(o.acl)
           EXCEPT SELECT * FROM pg_catalog.aclexplode(o.standard))
          UNION ALL
          (SELECT * FROM pg_catalog.aclexplode(o.standard)
           EXCEPT SELECT * FROM pg_catalog.aclexplode(o.acl)))
        """

    private static let grantee = """
        CASE a.grantee WHEN 0 THEN 'PUBLIC'
          ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
        """
}
