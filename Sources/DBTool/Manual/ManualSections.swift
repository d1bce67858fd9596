/// What the manual says beside the commands, from what the program itself goes by.
enum ManualSections {
    /// Commands that people begin with; a test parses each.
    static let examples: KeyValuePairs = [
        "Back up a database, whose server .env or DB_* variables name:":
            "dbtool full database -path /var/backups/dbtool",
        "Some tables only, packed:":
            "dbtool full tables -tablename users -tablename 'sales.*' -compress zstd",
        "Prove the newest backup's files:": "dbtool verify latest",
        "A table's rows as they were, without a server:":
            "dbtool rows 2026-11-22T14:40 customers",
        "Restore beside the original:": "dbtool restore latest --into shop_copy --create",
    ]

    static let files: KeyValuePairs = [
        ".env": "Settings, in the current folder; --env-file names another one.",
        "$XDG_STATE_HOME/dbtool/dbtool.log":
            "The log; by default ~/.local/state/dbtool/dbtool.log. At 5 MB it is set aside as dbtool.log.1.",
        "$XDG_STATE_HOME/dbtool/repositories.json":
            "Which repository was used last for which database.",
        "~/.pgpass": "Passwords, as PostgreSQL's own programs read them.",
    ]

    static var lines: [String] {
        section("ENVIRONMENT", Variable.all.map { ($0.name, $0.meaning) })
            + [
                ".PP",
                Roff.text(
                    "What none of them says is left to libpq: PGHOST and its other variables."),
            ]
            + section("FILES", files.map { ($0.key, $0.value) })
            + section("EXIT STATUS", ExitCode.allCases.map { ("\($0.rawValue)", "\($0.meaning).") })
            + [".SH EXAMPLES"]
            + examples.flatMap {
                [Roff.text($0.key), ".PP", ".nf", "    \(Roff.escaped($0.value))", ".fi", ".PP"]
            }.dropLast()
            + [".SH SEE ALSO", ".BR pg_dump (1),", ".BR pg_restore (1)", ""]
    }

    private static func section(_ title: String, _ entries: [(String, String)]) -> [String] {
        [".SH \(title)"]
            + entries.flatMap { [".TP", Roff.bold($0.0), Roff.text($0.1.sentence)] }
    }
}

extension String {
    fileprivate var sentence: String { prefix(1).uppercased() + dropFirst() }
}
