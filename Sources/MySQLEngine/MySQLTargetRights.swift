import BackupCore

/// What a restoring account lacks, all of it at once.
///
/// The server would refuse one thing after another, and the last when everything else has been dropped, made and loaded.
struct MySQLTargetRights {
    /// Something that is missing.
    struct Lack: Equatable {
        /// In words, behind the account's name.
        let cost: String
        /// The statement that ends it.
        let remedy: String
        /// The database where grants may make up for it that the server heeds and does not show; nil where none can.
        var doubtIn: String?
    }

    let privileges: MySQLPrivileges
    let request: TargetRequest

    private var grants: MySQLGrants { privileges.grants }
    private var server: MySQLServer { privileges.server }

    // MARK: The target's database

    /// A privilege on the target's database, or on one thing in it.
    private struct Need {
        let privilege: String
        /// Nil for one that only the database as a whole can give.
        var table: String?
    }

    /// What no restore does without in its own database, in one statement; nil when nothing is missing.
    ///
    /// - Throws: `BackupError.damaged`.
    func lackHere(_ plan: MySQLPlan, createsDatabase: Bool) throws -> Lack? {
        var missing: [String] = []
        for need in try needs(plan, createsDatabase: createsDatabase)
        where !isMet(need) && !missing.contains(need.privilege) {
            missing.append(need.privilege)
        }
        guard !missing.isEmpty else { return nil }
        let words = missing.joined(separator: ", ")
        let place =
            request.isScratch
            ? grants.place(ofDrill: request.database) : grants.place(of: request.database)
        return Lack(
            cost: "lacks \(words) on \(place)",
            remedy: privileges.statement("\(words) ON \(place)"),
            // Who is let in by what is not shown may have the rest of it, too.
            doubtIn: grants.open(request.database) ? nil : request.database)
    }

    private func isMet(_ need: Need) -> Bool {
        if grants.mayHold(need.privilege, on: request.database, table: need.table) { return true }
        guard need.privilege == "REFERENCES", let table = need.table else { return false }
        // Who may refer to some columns may be meant to: that is for the server to say.
        return grants.holdsInPart(need.privilege, on: request.database, table: table)
    }

    /// In the order in which statements name them.
    private func needs(_ plan: MySQLPlan, createsDatabase: Bool) throws -> [Need] {
        // The mark of a restore is a table that is made, filled, read and dropped.
        var needs = ["SELECT", "INSERT", "CREATE", "DROP"].map {
            Need(privilege: $0, table: MySQLRestoreMark.table)
        }
        // What is dropped or lost leaves the mark.
        if !plan.drops.isEmpty || !plan.lost.isEmpty {
            needs.append(Need(privilege: "DELETE", table: MySQLRestoreMark.table))
        }
        if createsDatabase { needs.append(Need(privilege: "CREATE")) }
        if request.isScratch { needs.append(Need(privilege: "DROP")) }
        for object in plan.chosen { needs += try self.needs(of: object, plan) }
        // MariaDB is content with what loads rows.
        let parents = plan.parents.filter { $0.schema.isExactly(request.database) }.sorted()
        if !server.isMariaDB {
            needs += parents.map { Need(privilege: "REFERENCES", table: $0.name) }
        }
        return needs
    }

    private func needs(of object: MySQLObject, _ plan: MySQLPlan) throws -> [Need] {
        let place = plan.place(of: object.name)
        switch object.kind {
        case .table:
            let table = try MySQLTableStatement(object.statement, database: request.defaultSchema)
            let makesKeys = table.foreignKeys.contains { key in
                !plan.leftOut.contains(
                    .init(table: ExactText(table.name), key: ExactText(key.name)))
            }
            let isAltered =
                makesKeys || table.takesRowsInOrder || !table.indexes.isEmpty
                || !table.wordIndexes.isEmpty
            return (["CREATE"] + (isAltered ? ["ALTER"] : [])).map {
                Need(privilege: $0, table: place)
            }
        case .sequence: return [Need(privilege: "CREATE", table: place)]
        case .view: return [Need(privilege: "CREATE VIEW", table: place)]
        case .function, .procedure, .package, .packageBody:
            return [Need(privilege: "CREATE ROUTINE")]
        case .trigger:
            let table = MySQLStatementHead(object.statement)?.table.map(plan.place(of:))
            return [Need(privilege: "TRIGGER", table: table)]
        // A drill makes none.
        case .event: return request.isScratch ? [] : [Need(privilege: "EVENT")]
        }
    }

    // MARK: Beyond it

    /// What is missing for foreign keys that refer to tables of other databases, one for each of these.
    func lacksElsewhere(_ plan: MySQLPlan) -> [Lack] {
        let parents = plan.parents.filter { !$0.schema.isExactly(request.database) }
        return Dictionary(grouping: parents) { ExactText($0.schema) }
            .sorted { $0.key < $1.key }.map(\.value).compactMap { tables in
                guard let lack = privileges.lack(toReferTo: tables),
                    let database = tables.first?.schema
                else { return nil }
                return Lack(
                    cost: lack.cost, remedy: privileges.statement(lack.grant),
                    doubtIn: grants.open(database) ? nil : database)
            }
    }

    /// What is missing to make what acts for other accounts; nil when nothing is.
    func lack(toActFor accounts: Set<String>) -> Lack? {
        // Since MariaDB 11 SUPER is no longer everything.
        let isEnough = !server.isMariaDB || server.number < 110000
        guard !isEnough || !grants.holdsGlobally("SUPER") else { return nil }
        // One without a host is a role.
        let others = accounts.filter {
            !$0.isExactly(privileges.quotedAccount) && $0.contains("@")
        }.sorted()
        let words = server.isMariaDB ? ["SET USER"] : ["SET_ANY_DEFINER", "SET_USER_ID"]
        guard let first = others.first, !words.contains(where: grants.holdsGlobally) else {
            return nil
        }
        let word = server.isMariaDB || server.number >= 80200 ? words[0] : words[1]
        return Lack(
            cost: "may not make what acts for \(first)",
            remedy: privileges.statement("\(word) ON *.*"))
    }

    /// What a server with a binary log that trusts nobody takes from nobody, and what from accounts with SUPER alone.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/stored-programs-logging.html>
    func lack(ofTrustIn objects: [MySQLObject]) -> Lack? {
        let guarded = objects.filter { [.function, .trigger].contains($0.kind) }
        let unclear = guarded.first { $0.kind == .function && !$0.saysWhatItDoes }
        guard let refused = unclear ?? (grants.holdsGlobally("SUPER") ? nil : guarded.first) else {
            return nil
        }
        let reason =
            unclear == nil
            ? "does not trust it"
            : "the function says neither DETERMINISTIC, NO SQL nor READS SQL DATA"
        return Lack(
            cost: "may not create \(refused.kind.rawValue.lowercased()) \(refused.name): "
                + "the server has a binary log, and \(reason)",
            remedy: "SET GLOBAL log_bin_trust_function_creators = 1;")
    }
}
