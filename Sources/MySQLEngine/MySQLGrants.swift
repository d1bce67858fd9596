import BackupCore

/// What an account may do, as `SHOW GRANTS` tells it: the catalogs of privileges do not show those of a
/// hosted server's accounts.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/show-grants.html>
struct MySQLGrants {
    /// What a privilege is granted on.
    private struct Place {
        /// Nil for all; `_` and `%` stand for one and for many characters, unless behind a backslash.
        let database: String?
        /// Nil for all.
        let table: String?
    }

    private struct Grant {
        let privileges: Set<String>
        /// Those that are granted on some columns of a table alone.
        let ofColumns: Set<String>
        let place: Place
        let isRevocation: Bool

        /// The database, or the pattern of databases, that it is on as a whole.
        var ofDatabase: String? { isRevocation || place.table != nil ? nil : place.database }
    }

    /// Of each whose grants on databases the server heeds by themselves; the account is the first.
    private let grantees: [[Grant]]
    private let grants: [Grant]
    private let precedence: MySQLGrantPrecedence
    /// Whether databases stand in grants by their names, and not by patterns.
    private let isLiteral: Bool
    /// Whether the server takes names of databases and tables for the same that differ in case (`lower_case_table_names`);
    /// then they are in small letters here.
    private let isCaseless: Bool

    /// Asks the server; roles that are active count.
    init(_ connection: MySQLConnection, on server: MySQLServer) async throws {
        var statement = "SHOW GRANTS FOR CURRENT_USER()"
        var precedence = server.isMariaDB ? MySQLGrantPrecedence.mariaDB : .mySQL
        if !server.isMariaDB, let roles = try await connection.value("SELECT CURRENT_ROLE()"),
            roles != "NONE"
        {
            statement += " USING \(roles)"
            precedence = .mySQLWithRoles
        }
        var lines = [try await connection.rows(statement).compactMap { $0[0] }]
        if server.isMariaDB, let role = try await connection.value("SELECT CURRENT_ROLE()") {
            // With those of the roles that it was given, which count as its own.
            lines.append(
                try await connection.rows("SHOW GRANTS FOR \(MySQLText.identifier(role))")
                    .compactMap { $0[0] })
        }
        // What everybody may do; older versions know nobody of that name.
        let everybody =
            server.isMariaDB ? try? await connection.rows("SHOW GRANTS FOR PUBLIC") : nil
        lines.append((everybody ?? []).compactMap { $0[0] })
        // - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/partial-revokes.html>
        var isLiteral = false
        if !server.isMariaDB, server.number >= 80016 {
            isLiteral = try await connection.value("SELECT @@GLOBAL.partial_revokes") == "1"
        }
        let isCaseless =
            try await connection.value("SELECT @@GLOBAL.lower_case_table_names") != "0"
        self.init(of: lines, precedence, isLiteral: isLiteral, isCaseless: isCaseless)
    }

    /// Reads lines of the server; those that grant roles say nothing here.
    init(_ lines: [String], isLiteral: Bool = false, isCaseless: Bool = false) {
        self.init(of: [lines], .mySQL, isLiteral: isLiteral, isCaseless: isCaseless)
    }

    /// Reads lines of the server for the account, and for others whose grants count as well.
    init(
        of grantees: [[String]], _ precedence: MySQLGrantPrecedence, isLiteral: Bool = false,
        isCaseless: Bool = false
    ) {
        self.grantees = grantees.map { lines in
            lines.compactMap { Self.grant($0, isCaseless: isCaseless) }
        }
        grants = Array(self.grantees.joined())
        self.precedence = precedence
        self.isLiteral = isLiteral
        self.isCaseless = isCaseless
    }

    /// Whether an account has a privilege on a database, or on one of its tables.
    func holds(_ privilege: String, on database: String, table: String? = nil) -> Bool {
        holds(on: database, table: table) { grant in
            grant.privileges.contains(privilege) || grant.privileges.contains("ALL PRIVILEGES")
        }
    }

    /// Whether it may have it: of several grants that fit a database one gives it, be that the one that counts or not.
    ///
    /// For what the server itself refuses.
    func mayHold(_ privilege: String, on database: String, table: String? = nil) -> Bool {
        holds(privilege, on: database, table: table)
            || grants.contains { grant in
                !grant.isRevocation && reaches(grant.place, database, table)
                    && (grant.privileges.contains(privilege)
                        || grant.privileges.contains("ALL PRIVILEGES"))
            }
    }

    /// Whether an account has a privilege on some columns of a table.
    func holdsInPart(_ privilege: String, on database: String, table: String) -> Bool {
        holds(on: database, table: table) { $0.ofColumns.contains(privilege) }
    }

    private func holds(
        on database: String, table: String?, _ isMeant: (Grant) -> Bool
    ) -> Bool {
        if grantees.contains(where: { isHeeded(among: $0, on: database, isMeant) }) { return true }
        let found = grants.filter {
            $0.ofDatabase == nil && isMeant($0) && reaches($0.place, database, table)
        }
        let isWhole = found.contains { !$0.isRevocation && $0.place.database != nil }
        let isRevoked = found.contains { $0.isRevocation && $0.place.database != nil }
        return isWhole || !isRevoked && found.contains { !$0.isRevocation }
    }

    /// Whether a grantee has something on a database as a whole, by that one of its grants which counts.
    private func isHeeded(
        among grants: [Grant], on database: String, _ isMeant: (Grant) -> Bool
    ) -> Bool {
        let heeded = heeded(among: grants, on: database)
        return !heeded.isEmpty
            && heeded.allSatisfy { pattern in
                grants.contains { ($0.ofDatabase?.isExactly(pattern) ?? false) && isMeant($0) }
            }
    }

    private func heeded(among grants: [Grant], on database: String) -> [String] {
        let fitting = grants.filter { $0.ofDatabase != nil && reaches($0.place, database, nil) }
        return precedence.heeded(among: fitting.compactMap(\.ofDatabase), for: folded(database))
    }

    private func reaches(_ place: Place, _ database: String, _ table: String?) -> Bool {
        guard let pattern = place.database else { return true }
        guard fits(pattern, database) else { return false }
        guard let own = place.table else { return true }
        return table.map { own.isExactly(folded($0)) } ?? false
    }

    private func fits(_ pattern: String, _ database: String) -> Bool {
        let name = folded(database)
        return isLiteral
            ? pattern.isExactly(name)
            : Self.matches(Array(pattern.unicodeScalars), Array(name.unicodeScalars))
    }

    private func folded(_ name: String) -> String { isCaseless ? name.lowercased() : name }

    // MARK: What is not shown

    /// Whether what is shown lets the account into a database at all.
    ///
    /// The servers heed grants on databases of everybody of the account's user name whose host fits the client's, but the
    /// closest host alone; `SHOW GRANTS` shows those of the account.
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/request-access.html>
    func open(_ database: String) -> Bool {
        grants.contains { grant in
            guard !grant.isRevocation else { return false }
            guard let pattern = grant.place.database else {
                return !grant.privileges.isDisjoint(with: Self.ofDatabases)
            }
            return fits(pattern, database)
        }
    }

    /// Those on the whole server that are on its databases too.
    private static let ofDatabases: Set<String> = [
        "ALL PRIVILEGES", "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES",
        "INDEX", "ALTER", "CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "CREATE VIEW",
        "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER",
    ]

    // MARK: Statements that grant

    /// All of a database, as a grant to the account names it: `` `my\_app`.* ``, where `_` would stand for any character.
    ///
    /// Of several grants that fit a database the servers heed the closest alone. Beside one by the plain name another
    /// would take its privileges away: that one is added to, where it is heeded.
    func place(of database: String) -> String {
        let isPlain =
            isLiteral
            || heeded(among: grantees.first ?? [], on: database)
                .contains { $0.isExactly(folded(database)) }
        return "\(MySQLText.identifier(isPlain ? database : Self.escaped(database))).*"
    }

    /// The databases of all drills, as a grant to the account names them.
    ///
    /// A pattern of their own that counts already is added to, as another might take its privileges away.
    func place(ofDrill database: String) -> String {
        // No pattern stands for databases there.
        guard !isLiteral else { return "*.*" }
        let own = heeded(among: grantees.first ?? [], on: database)
            .first { $0.utf8.starts(with: "dbtool".utf8) && $0.utf8.last == UInt8(ascii: "%") }
        return "\(MySQLText.identifier(own ?? MySQLScratch.pattern)).*"
    }

    private static func escaped(_ name: String) -> String {
        let signs: [Unicode.Scalar] = ["\\", "_", "%"]
        return signs.reduce(name) { text, sign in
            text.replacing(scalar: sign, with: "\\\(sign)")
        }
    }

    /// Whether an account has a privilege on the whole server.
    func holdsGlobally(_ privilege: String) -> Bool {
        grants.contains { grant in
            !grant.isRevocation && grant.place.database == nil
                && (grant.privileges.contains(privilege)
                    || grant.privileges.contains("ALL PRIVILEGES"))
        }
    }

    // MARK: Reading

    /// Reads `GRANT SELECT, INSERT (a, b) ON place TO …`.
    private static func grant(_ line: String, isCaseless: Bool) -> Grant? {
        var words = MySQLTokens(line).tokens.filter(\.isCode)[...]
        let verb = words.popFirst()?.keyword
        guard verb == "GRANT" || verb == "REVOKE" else { return nil }
        var (privileges, ofColumns) = (Set<String>(), Set<String>())
        var (name, depth) = ([String](), 0)
        var isPartial = false
        // A privilege on some columns is none on the table.
        func add() {
            let privilege = name.joined(separator: " ")
            if isPartial { ofColumns.insert(privilege) } else { privileges.insert(privilege) }
        }
        while let word = words.popFirst(), depth > 0 || word.keyword != "ON" {
            if word.isSign("(") { (depth, isPartial) = (depth + 1, true) }
            if word.isSign(")") { depth -= 1 }
            if depth == 0, word.isSign(",") {
                add()
                (name, isPartial) = ([], false)
            } else if depth == 0, let keyword = word.keyword {
                name.append(keyword)
            }
        }
        add()
        guard let place = place(words, isCaseless: isCaseless) else { return nil }
        return Grant(
            privileges: privileges, ofColumns: ofColumns, place: place,
            isRevocation: verb == "REVOKE")
    }

    /// Nil for what is neither a database nor a table.
    private static func place(
        _ words: ArraySlice<MySQLTokens.Token>, isCaseless: Bool
    ) -> Place? {
        var words = words
        if words.first?.keyword == "TABLE" { words.removeFirst() }
        let kinds = ["PROCEDURE", "FUNCTION", "PACKAGE"]
        guard let first = words.popFirst(), !kinds.contains(first.keyword ?? ""),
            words.popFirst()?.isSign(".") ?? false, let second = words.first
        else { return nil }
        let names = [first, second].map { word -> String? in
            word.isSign("*") ? nil : isCaseless ? word.identifier?.lowercased() : word.identifier
        }
        return Place(database: names[0], table: names[1])
    }

    private static func matches(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = Array(pattern.dropFirst())
        if first == "%" {
            return (0...text.count).contains { matches(rest, Array(text.dropFirst($0))) }
        }
        guard let next = text.first else { return false }
        if first == "\\", let literal = rest.first {
            return literal == next && matches(Array(rest.dropFirst()), Array(text.dropFirst()))
        }
        return (first == "_" || first == next) && matches(rest, Array(text.dropFirst()))
    }
}
