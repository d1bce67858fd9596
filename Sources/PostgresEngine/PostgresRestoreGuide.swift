import BackupCore

/// `RESTORE.md`: how to restore a backup with nothing but the server's own programs.
enum PostgresRestoreGuide {
    static func text(for metadata: Metadata) -> String {
        """
        # Restoring \(metadata.id) without dbtool

        Made \(metadata.snapshotAt.text) from database `\(GuideText.name(metadata.database))` \
        (PostgreSQL \(metadata.serverVersion)).
        The simple way is `dbtool restore \(metadata.id) -path REPOSITORY --into NAME --create`.

        What follows needs only PostgreSQL's own programs, of the server's version or newer, `sha256sum`,
        and `zstd` where files are packed. Run these lines in this folder, in this order.

        \(GuideText.block(commands(metadata)))

        What this way loses or does not do, compared with `dbtool restore`:

        - Roles and tablespaces belong to the server and must be made before. This backup names the \
        roles \(metadata.roles.isEmpty ? "(none)" : GuideText.name(metadata.roles.joined(separator: ", "))).
        - Rows go into the partitions they came from. When a hash partition refuses a row on another
          machine, load that file into its root table.
        - `psql` before version 18 takes a line that is exactly `\\.` inside a value for the end of the
          data, and stops with an error.
        - Settings of the database (`ALTER DATABASE … SET`) are not made, but for those that values are
          computed by.
        - Owners, privileges and comments of large objects (`data/pg_largeobject_metadata.csv`) are not
          set.
        - Materialized views that others are computed from must be refreshed first: change the order of
          those lines when PostgreSQL says that one has not been populated.
        - Nothing is counted and no fingerprint is compared.
        \(points(metadata))
        """
    }

    private static func commands(_ metadata: Metadata) -> String {
        let encoding = metadata.databaseProperties["encoding"] ?? "UTF8"
        let rest = lines(sequences(metadata) + views(metadata) + ["ANALYZE;"])
        return """
            set -e
            sha256sum --quiet -c SHA256SUMS\(unpacking(metadata))
            export PGDATABASE=restored PGCLIENTENCODING=\(GuideText.word(metadata.encoding))
            export PGOPTIONS='-c datestyle=ISO,YMD -c intervalstyle=postgres -c lc_monetary=C -c xmloption=content -c array_nulls=on'
            createdb --template template0 --encoding \(GuideText.word(encoding)) restored\(settings(metadata))
            pg_restore --dbname restored --section pre-data \(list(metadata))schema.dump\(pardon(metadata))
            \(lines(metadata.tables.filter { $0.schema != "pg_catalog" }.compactMap(load)))
            \(largeObjects(metadata))pg_restore --dbname restored --section post-data \(list(metadata))schema.dump\(pardon(metadata))
            PGOPTIONS= psql -X -v ON_ERROR_STOP=1 \(GuideText.input(rest))
            """
    }

    /// Those of the database that rows and materialized views are computed by.
    ///
    /// One that the server refuses stops nothing.
    private static func settings(_ metadata: Metadata) -> String {
        let properties = metadata.databaseProperties
        let names = PostgresComputing.settings(in: properties).map(\.name) + PostgresSession.ofText
        let keys = Set(names.map { "setting.\($0)" })
        let statements = PostgresDatabaseStatements.settings(
            in: properties.filter { keys.contains($0.key) }, of: "restored"
        ).map { "\($0.statement);" }
        return statements.isEmpty ? "" : "\npsql -X \(GuideText.input(lines(statements)))"
    }

    /// What changed since lies inside the backup's folder.
    private static func points(_ metadata: Metadata) -> String {
        // A line of psql's own ends with the line, whatever the name.
        let example = metadata.tables.first {
            !$0.key.isEmpty && !$0.hasLineEnds && $0.schema != "pg_catalog" && $0.file != nil
                && $0.loadsThrough == nil
        }
        guard let example, let file = example.file else { return "" }
        let name = SQLText.qualified(example.tableName)
        let columns = example.storedColumns.map(SQLText.identifier).joined(separator: ", ")
        let key = example.key.map(SQLText.identifier).joined(separator: ", ")
        let stem = file.split(separator: "/").last?.prefix { $0 != "." } ?? ""
        func copy(_ table: String, _ columns: String, _ kind: String) -> String {
            // What did not change has no file, and it may be packed where the full's is not.
            let file = "$point/\(stem)_\(kind).csv"
            let reading = """
                if [ -e "\(file)" ]; then cat "\(file)"; elif [ -e "\(file).zst" ]; then zstd -dc "\(file).zst"; fi
                """
            return "\\copy \(table) (\(columns)) FROM PROGRAM '\(reading)' (FORMAT csv, HEADER)"
        }
        let statements = """
            CREATE TEMP TABLE gone AS SELECT \(key) FROM \(name) WHERE false;
            CREATE TEMP TABLE changed AS SELECT \(columns) FROM \(name) WHERE false;
            \(copy("gone", key, "deleted"))
            \(copy("changed", columns, "diff"))
            INSERT INTO gone SELECT \(key) FROM changed;
            DELETE FROM ONLY \(name) WHERE (\(key)) IN (SELECT \(key) FROM gone);
            INSERT INTO \(name) (\(columns)) OVERRIDING SYSTEM VALUE SELECT \(columns) FROM changed;
            """
        let commands = """
            set -e
            point=.backup_diff/FOLDER
            test -e "$point/metadata.json"
            export point
            psql -X -v ON_ERROR_STOP=1 --single-transaction restored \(GuideText.input(statements))
            """
        let when = """
            Do it before the line with `--section post-data` above: foreign keys and triggers are not there yet then,
            which would stand in the way of some rows. Afterwards a superuser puts
            `SET session_replication_role = replica;` in front of the statements.
            """
        return GuideText.changes(
            structure: "schema.dump", when: when, table: "\(example.tableName)", commands)
    }

    /// Without the program a pipe would load nothing and not fail.
    private static func unpacking(_ metadata: Metadata) -> String {
        let isPacked = metadata.tables.contains { $0.file?.hasSuffix(".zst") ?? false }
        return isPacked ? "\ncommand -v zstd" : ""
    }

    /// A backup of some tables comes with the definition of everything, and a list of what it means.
    private static func list(_ metadata: Metadata) -> String {
        metadata.scope == Scope.database.word ? "" : "--use-list schema.list "
    }

    /// What was left out may be missed by what refers to it.
    private static func pardon(_ metadata: Metadata) -> String {
        let lacks = !(metadata.excludedTables + metadata.unreadableTables).isEmpty
        return lacks ? " || echo 'what refers to rows left out is not made'" : ""
    }

    private static func lines(_ lines: [String]) -> String { lines.joined(separator: "\n") }

    private static func load(_ record: TableRecord) -> String? {
        let name = record.loadsThrough ?? record.tableName
        let copy = "COPY \(SQLText.qualified(name))\(SQLText.columnList(record.storedColumns))"
        return reader(record).map {
            "\($0) | psql -X -v ON_ERROR_STOP=1 -c \(GuideText.quoted("\(copy) FROM STDIN (FORMAT csv, HEADER)"))"
        }
    }

    private static func reader(_ record: TableRecord) -> String? {
        record.file.map { ($0.hasSuffix(".zst") ? "zstd -dc " : "cat ") + GuideText.quoted($0) }
    }

    /// Pages go through a table of their own, because `pg_largeobject` itself cannot be written.
    private static func largeObjects(_ metadata: Metadata) -> String {
        let records = metadata.tables.filter { $0.schema == "pg_catalog" }
        guard let objects = records.first(where: { $0.name == "pg_largeobject_metadata" }),
            let pages = records.first(where: { $0.name == "pg_largeobject" }),
            let readObjects = reader(objects), let readPages = reader(pages)
        else { return "" }
        let copy = "FROM STDIN (FORMAT csv, HEADER)"
        return """
            psql -X -c 'CREATE TABLE public.dbtool_lo (loid oid, owner text, acl text, comment text)'
            psql -X -c 'CREATE TABLE public.dbtool_lo_pages (loid oid, pageno int, data bytea)'
            \(readObjects) | psql -X -v ON_ERROR_STOP=1 -c 'COPY public.dbtool_lo \(copy)'
            \(readPages) | psql -X -v ON_ERROR_STOP=1 -c 'COPY public.dbtool_lo_pages \(copy)'
            psql -X -c 'SELECT count(lo_create(loid)) FROM public.dbtool_lo'
            psql -X -c 'SELECT count(*) FROM (SELECT lo_put(loid, pageno::bigint * 2048, data)
              FROM public.dbtool_lo_pages) p'
            psql -X -c 'DROP TABLE public.dbtool_lo, public.dbtool_lo_pages'

            """
    }

    private static func sequences(_ metadata: Metadata) -> [String] {
        metadata.sequences.map { sequence in
            let name = SQLText.qualified(TableName(schema: sequence.schema, name: sequence.name))
            return "SELECT setval(\(SQLText.literal(name)), \(sequence.lastValue), "
                + "\(sequence.isCalled));"
        }
    }

    private static func views(_ metadata: Metadata) -> [String] {
        metadata.materializedViews.filter(\.isPopulated).map {
            let name = SQLText.qualified(TableName(schema: $0.schema, name: $0.name))
            return "REFRESH MATERIALIZED VIEW \(name);"
        }
    }
}

extension TableRecord {
    fileprivate var hasLineEnds: Bool {
        ([schema, name] + columns.map(\.name)).contains {
            $0.utf8.contains(0x0A) || $0.utf8.contains(0x0D)
        }
    }
}
