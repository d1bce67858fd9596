import BackupCore

/// What an account lacks for a backup, and the statements that grant it.
///
/// What an account may not see is not in the catalogs either: without a privilege on the database itself a
/// backup of everything would be a smaller one, and nobody would know.
struct MySQLPrivileges {
    /// Something that is missing.
    struct Lack {
        /// Whether a backup must not be made without it.
        let isFatal: Bool
        /// What it costs, in words.
        let cost: String
        /// Between `GRANT` and `TO`.
        let grant: String
        /// What the account does not see without it.
        var hides: Set<MySQLObject.Kind> = []
    }

    let grants: MySQLGrants
    let server: MySQLServer
    let database: String

    /// Everything that is missing for a backup of some relations.
    ///
    /// `hidden`: Routines that the account sees, but not what makes them.
    func lacks(of scope: MySQLScope, isWhole: Bool, hidden: [String]) -> [Lack] {
        var lacks: [Lack] = []
        let place = grants.place(of: database)
        let seesAll = grants.holds("SELECT", on: database)
        if isWhole, !seesAll {
            lacks.append(
                Lack(
                    isFatal: true, cost: "may not read all of \(database): tables would be missing",
                    grant: "SELECT ON \(place)"))
        } else {
            lacks += unreadable(in: scope).map { table in
                Lack(
                    isFatal: true, cost: "may not read all columns of \(table.name)",
                    grant: "SELECT ON \(MySQLText.qualified(table))")
            }
        }
        let views = scope.inScope.filter { $0.kind == .view }
        if let view = views.first(where: {
            !grants.holds("SHOW VIEW", on: database, table: $0.name.name)
        }) {
            lacks.append(
                Lack(
                    isFatal: true, cost: "may not see what makes view \(view.name.name)",
                    grant: "SHOW VIEW ON \(place)"))
        }
        let hiddenKinds: [(kind: MySQLObject.Kind, things: String)] = [
            (.trigger, "triggers"), (.event, "events"),
        ]
        for (kind, things) in hiddenKinds
        where (isWhole || kind == .trigger) && !sees(kind, scope) {
            lacks.append(
                Lack(
                    isFatal: false, cost: "may not see \(things): they are not in the backup",
                    grant: "\(kind.rawValue) ON \(place)", hides: [kind]))
        }
        if isWhole, !seesRoutines {
            lacks.append(
                Lack(
                    isFatal: !hidden.isEmpty,
                    cost: hidden.isEmpty
                        ? "may not see procedures and functions: they are not in the backup"
                        : "may not see what makes \(hidden.prefix(3).joined(separator: ", "))",
                    grant: Self.routinePrivilege(server.product, server.number),
                    hides: namesRoutines ? [] : [.function, .procedure, .package, .packageBody]))
        }
        return lacks
    }

    /// Whether nothing of a kind is hidden: triggers go by their tables.
    private func sees(_ kind: MySQLObject.Kind, _ scope: MySQLScope) -> Bool {
        if grants.holds(kind.rawValue, on: database) { return true }
        let tables = scope.inScope.filter { $0.kind != .view }
        return kind == .trigger && !tables.isEmpty
            && tables.allSatisfy { grants.holds(kind.rawValue, on: database, table: $0.name.name) }
    }

    /// Whether the catalog names every routine, and hides at most what makes it.
    private var namesRoutines: Bool {
        ["EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE"].contains { grants.holds($0, on: database) }
    }

    /// What is missing to see the triggers of tables; nil when nothing is.
    func blindness(toTriggersOf tables: [String]) -> Lack? {
        let hidden = tables.filter { !grants.holds("TRIGGER", on: database, table: $0) }
        guard let first = hidden.first else { return nil }
        let more = hidden.count > 1 ? " and of \(hidden.count - 1) more" : ""
        return Lack(
            isFatal: true, cost: "may not see the triggers of \(first)\(more)",
            grant: "TRIGGER ON \(grants.place(of: database))")
    }

    /// What is missing for differentials by a column; nil when nothing is.
    var blindnessToTables: Lack? {
        guard !grants.holdsGlobally("PROCESS") else { return nil }
        return Lack(
            isFatal: false,
            cost:
                "may not see the numbers of tables, nor when open transactions began: -basis column compares instead",
            grant: "PROCESS ON *.*")
    }

    /// What is missing for foreign keys that refer to tables of one database; nil when nothing is.
    ///
    /// Who may do so by some columns may be meant to: that is for the server to say.
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/create-table-foreign-keys.html>
    func lack(toReferTo parents: [TableName]) -> Lack? {
        // MariaDB is content with any of these.
        let words =
            ["REFERENCES"] + (server.isMariaDB ? ["SELECT", "INSERT", "UPDATE", "DELETE"] : [])
        let refused = parents.filter { parent in
            !words.contains {
                grants.mayHold($0, on: parent.schema, table: parent.name)
                    || grants.holdsInPart($0, on: parent.schema, table: parent.name)
            }
        }.sorted()
        guard let first = refused.first else { return nil }
        return Lack(
            isFatal: true,
            cost: "may not make foreign keys that refer to "
                + MySQLTargetPlanner.list(refused.map { "\($0)" }),
            grant: "REFERENCES ON \(grants.place(of: first.schema))")
    }

    /// The tables whose rows the account may not read.
    func unreadable(in scope: MySQLScope) -> [TableName] {
        scope.stored.map(\.name).filter { !grants.holds("SELECT", on: database, table: $0.name) }
    }

    /// What lets an account see what makes the routines of others; `SHOW_ROUTINE` is younger than MySQL 8.0.
    static func routinePrivilege(_ product: MySQLServer.Product, _ number: Int) -> String {
        switch product {
        case .mariaDB: "SELECT ON `mysql`.`proc`"
        case .mysql, .percona: number < 80020 ? "SELECT ON *.*" : "SHOW_ROUTINE ON *.*"
        }
    }

    private var seesRoutines: Bool {
        if server.isMariaDB {
            return grants.holds("SELECT", on: "mysql", table: "proc")
                || grants.holds("SHOW CREATE ROUTINE", on: database)
        }
        return grants.holdsGlobally("SHOW_ROUTINE") || grants.holdsGlobally("SELECT")
    }

    /// What grants it to the account: `GRANT … TO 'user'@'host';`.
    func statement(_ grant: String) -> String { "GRANT \(grant) TO \(account);" }

    private var account: String {
        "\(MySQLText.literal(parts.user))@\(MySQLText.literal(parts.host))"
    }

    /// The account as statements name whom they act for.
    var quotedAccount: String {
        "\(MySQLText.identifier(parts.user))@\(MySQLText.identifier(parts.host))"
    }

    private var parts: (user: String, host: String) {
        let parts = server.account.split(
            separator: "@", maxSplits: .max, omittingEmptySubsequences: false)
        return (parts.dropLast().joined(separator: "@"), parts.last.map(String.init) ?? "%")
    }

    // MARK: The moment

    /// How several connections will come to see one moment, as far as privileges tell; the statements that would make it
    /// better.
    func way(
        connections: Int, log: MySQLBinaryLog.Testimony
    ) -> (words: String, better: [String]) {
        guard connections > 1 else { return ("one connection, which is one moment", []) }
        if server.product == .percona { return ("cloned snapshots", []) }
        if server.isMariaDB, log == .moments {
            return ("snapshots at one position of the binary log", [])
        }
        if server.isMariaDB, grants.holdsGlobally("RELOAD") {
            return ("snapshots while BACKUP STAGE holds commits", [])
        }
        let toSeeTheLog = log == .unseen ? [seeingTheLog] : []
        if grants.holds("LOCK TABLES", on: database) {
            // MySQL locks first.
            return (
                "snapshots while LOCK TABLES holds writes to these tables",
                server.isMariaDB ? toSeeTheLog : []
            )
        }
        if grants.holdsGlobally("RELOAD") || grants.holdsGlobally("FLUSH_TABLES") {
            return ("snapshots while FLUSH TABLES WITH READ LOCK holds writes", [])
        }
        let lock = statement("LOCK TABLES ON \(grants.place(of: database))")
        let better = ["\(lock) -- or RELOAD ON *.*"] + toSeeTheLog
        if log == .moments {
            return (
                "snapshots while the binary log stands still, if it does; else one connection",
                better
            )
        }
        return ("one connection: nothing shows that several see the same moment", better)
    }

    /// What shows the account that the log leaves nothing out: a moment is found by it that holds nobody up.
    private var seeingTheLog: String {
        let privilege = server.isMariaDB ? "BINLOG MONITOR" : "REPLICATION CLIENT"
        return
            "\(statement("\(privilege) ON *.*")) -- locks nobody out, where the log has everything"
    }
}
