import BackupTesting
import Foundation
import Testing

/// A database's owner chooses its search path and may put operators and functions there that bear the
/// names of the server's; whoever backs it up, often a superuser, must run none of them (CVE-2018-1058).
@Suite struct SearchPathTests {
    private static let types = [
        "name", "text", "oid", "integer", "bigint", "\"char\"", "boolean", "regclass", "xid",
        "timestamptz", "double precision",
    ]
    private static let operators = [
        "=", "<>", "<", ">", "<=", ">=", "~", "!~", "~~", "!~~", "||", "+",
    ]
    private static let functions = [
        "lower(text)", "upper(text)", "format(text, text)", "quote_ident(text)", "length(text)",
        "current_setting(text)", "current_setting(text, boolean)",
        "set_config(text, text, boolean)",
        "pg_get_expr(pg_node_tree, oid)", "format_type(oid, integer)", "to_regclass(text)",
        "has_table_privilege(oid, text)", "has_table_privilege(name, oid, text)", "txid_current()",
        "pg_relation_size(regclass)", "pg_is_in_recovery()", "version()", "current_database()",
        "pg_backend_pid()", "now()", "concat(text, text)", "abs(bigint)",
        "current_schemas(boolean)", "pg_table_is_visible(oid)", "quote_literal(text)",
        "array_to_string(text[], text)", "obj_description(oid, name)", "replace(text, text, text)",
    ]

    private static let traps = """
        CREATE SCHEMA trap;
        CREATE FUNCTION trap.spring(word text) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'hijacked by %', word; END $$;
        """
        + types.flatMap { type in
            operators.map { sign in
                let name = Workbench.quoted("\(type) \(sign)")
                return """
                    CREATE FUNCTION trap.\(name)(\(type), \(type)) RETURNS boolean LANGUAGE plpgsql AS
                        $$ BEGIN RETURN trap.spring('\(type) \(sign)'); END $$;
                    CREATE OPERATOR trap.\(sign)
                        (LEFTARG = \(type), RIGHTARG = \(type), FUNCTION = trap.\(name));
                    """
            }
        }.joined()
        + functions.map { function in
            """
            CREATE FUNCTION trap.\(function) RETURNS text
                LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('\(function)'); RETURN ''; END $$;
            """
        }.joined()
            + """
            CREATE TABLE public.t (id integer PRIMARY KEY, v text);
            INSERT INTO public.t SELECT i, 'v' FROM pg_catalog.generate_series(1, 3000) i;
            """

    @Test(arguments: TestServer.all)
    func `nothing that a search path offers is run`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase("trap")
            try await source.query(Self.traps)
            try await source.query(
                "ALTER DATABASE \(source.name) SET search_path = trap, public, pg_catalog")
            // The trap is one: whoever takes the database's path runs into it.
            let caught = try await source.attempt(
                "SELECT 1 FROM pg_class WHERE relname = 'x'::name")
            #expect(caught.errors.contains("hijacked by name ="), "\(caught)")
            let place = bench.connection() + ["--database", source.name, "-path", bench.repository]
            try await bench.dbtool(["check"] + place).requireCode(0)
            let full = try await bench.backUp(source)
            try await bench.dbtool(["full", "tables", "-tablename", "t"] + place).requireCode(0)
            try await source.query(
                "DELETE FROM public.t WHERE id OPERATOR(pg_catalog.<) 10; INSERT INTO public.t VALUES (9000, 'new')"
            )
            let more = ["--base", full.id] + place
            try await bench.dbtool(["differential", "backup"] + more).requireCode(0)
            try await bench.drilling {
                try await bench.dbtool(["verify", "latest", "-drill", "-same-server"] + place)
                    .requireCode(0)
            }
            let copy = try await bench.restored("latest")
            #expect(try await copy.query("SELECT count(*) FROM public.t") == "2992")
            // Into a database that has the traps already.
            try await bench.restore(
                full.id, into: copy, ["-tablename", "t", "-existing", "truncate", "--yes"],
                creating: false
            ).requireCode(0)
            #expect(try await copy.query("SELECT count(*) FROM public.t") == "3000")
            let prompt = "\(source.name)>"
            let end = try await bench.onTerminal(
                [DBToolBinary.path(), "backup"] + place, environment: ["NO_COLOR": "1"]
            ) { terminal in
                try await terminal.untilEditing(behind: prompt)
                try await terminal.complete("SQL SELECT * FROM public.")
                try terminal.press(" LIMIT 0\n")
                try await terminal.press("SQL SELECT 40\n", behind: prompt)
                try await terminal.press("\u{4}", behind: prompt)
            }
            #expect(end.output.contains("40\r\n") && !end.output.contains("hijacked"), "\(end)")
        }
    }
}
