import BackupCore

/// SQL that pg_restore renders from an archive, as a server takes it.
struct PostgresScript: Sendable {
    /// In the encoding of the backup: what a database without one holds need not be text.
    let bytes: [UInt8]

    /// Without the lines that only psql knows, and what the server is too old for.
    init(_ rendered: [UInt8], major: Int) {
        let newline = UInt8(ascii: "\n")
        var lines = rendered.split(separator: newline, omittingEmptySubsequences: false)[...]
        func isNoise(_ line: ArraySlice<UInt8>) -> Bool {
            let ignored =
                ["\\restrict ", "\\unrestrict "]
                + (major < 17 ? ["SET transaction_timeout = "] : [])
            return ignored.contains { line.starts(with: $0.utf8) }
        }
        // They stand before the first and after the last statement; elsewhere such a line is part
        // of a text.
        let header = lines.prefix { !$0.starts(with: "-- Name: ".utf8) }
        lines = lines.dropFirst(header.count)
        let footer = lines.suffix(8)
        lines = lines.dropLast(footer.count)
        let kept =
            header.filter { !isNoise($0) } + lines + footer.filter { !isNoise($0) }
        let all = PostgresScript(bytes: Array(kept.joined(separator: [newline])))
        self.init(
            bytes: major < Self.majorOfUnloggedSequences
                ? all.withoutLoggingOfSequences.bytes : all.bytes)
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    init(text: String) { bytes = Array(text.utf8) }

    /// For people, and for names: bytes that are no text are replaced.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// This one, and then another one.
    func followed(by next: PostgresScript) -> PostgresScript {
        guard !bytes.isEmpty, !next.bytes.isEmpty else { return bytes.isEmpty ? next : self }
        return PostgresScript(bytes: bytes + [UInt8(ascii: "\n")] + next.bytes)
    }

    /// The lines before the first entry.
    private var head: ArraySlice<ArraySlice<UInt8>> {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .prefix { !$0.starts(with: "-- Name: ".utf8) }
    }

    private var headBytes: [UInt8] { Array(head.joined(separator: [UInt8(ascii: "\n")])) }

    /// The statements that pg_restore puts before the first entry: what `--clean` drops.
    var drops: PostgresScript { PostgresScript(bytes: headBytes) }

    /// The statements that give things to their owners, each behind the head as a script of its own.
    var ownerChanges: [PostgresScript] {
        let head = headBytes + [UInt8(ascii: "\n")]
        return statements.compactMap { statement in
            let end = statement.filter { !$0.isSpace }.suffix(3)
            guard statement.first?.keyword == "ALTER", end.last?.identifier != nil,
                end.dropLast().map(\.keyword) == ["OWNER", "TO"]
            else { return nil }
            return PostgresScript(
                bytes: head + statement.flatMap(\.bytes) + [UInt8(ascii: ";")])
        }
    }

    /// What it grants, behind its head; nothing where it grants nothing.
    ///
    /// Without what another role has granted where that takes a superuser, who becomes it for that.
    var grants: PostgresScript {
        var (found, isOfAnother): ([UInt8], Bool) = ([], false)
        for statement in statements {
            switch statement.first?.keyword {
            case "GRANT" where !isOfAnother:
                found += statement.flatMap(\.bytes) + Array(";\n".utf8)
            case "SET", "RESET":
                let words = statement.filter { !$0.isSpace }.prefix(3).map(\.keyword).dropFirst()
                if words.starts(with: ["SESSION", "AUTHORIZATION"]) {
                    isOfAnother = statement.first?.keyword == "SET"
                } else if words.starts(with: ["ROLE"]) {
                    found += statement.flatMap(\.bytes) + Array(";\n".utf8)
                }
            case "SELECT" where statement.contains { $0.literal == "role" }:
                found += statement.flatMap(\.bytes) + Array(";\n".utf8)
            default: break
            }
        }
        return PostgresScript(
            bytes: found.isEmpty ? [] : headBytes + [UInt8(ascii: "\n")] + found)
    }

    /// Each without the comments in front of it, and without what ends it.
    private var statements: [ArraySlice<SQLTokens.Token>] {
        SQLTokens(bytes).tokens.split { $0.bytes == [UInt8(ascii: ";")] }.map { tokens in
            tokens.drop { $0.isSpace || $0.bytes.starts(with: "--".utf8) }
        }
    }

    /// The same, but with a limit for each wait for a lock, as `lock_timeout` takes it: the script's head takes that of
    /// its session away.
    func limitingLockWaits(to limit: String) -> PostgresScript {
        let newline = UInt8(ascii: "\n")
        var lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
        let place = lines.prefix(head.count).firstIndex {
            $0.elementsEqual("SET lock_timeout = 0;".utf8)
        }
        if let place { lines[place] = Array("SET lock_timeout = '\(limit)';".utf8)[...] }
        return PostgresScript(bytes: Array(lines.joined(separator: [newline])))
    }

    /// The entry that a character of the script belongs to: `TABLE public.users`.
    func entry(at position: Int) -> String? {
        let before = String(text.unicodeScalars.prefix(position)).utf8
        let line = before.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }
            .last { $0.hasPrefix("-- Name: ") }
        return line.flatMap(Self.entry(in:))
    }

    /// That of the comment in front of it.
    static func entry(in line: String) -> String? {
        line.firstMatch(of: #/^-- Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: /#).map {
            "\($0.2) \($0.3 == "-" ? "" : "\($0.3).")\($0.1)"
        }
    }

    /// The roles that it names as owners, and all that it names.
    func roles(among known: [String]) -> (all: [String], owners: [String]) {
        var (all, owners): (Set<ExactText>, Set<ExactText>) = ([], [])
        var before = ["", ""]
        for token in words {
            // `TO one, two`: a name after a comma is a role when the one before it was.
            let isListed = ["TO", "FROM", "ROLE"].contains(before[1]) || before == ["role", ","]
            if isListed, let name = token.identifier {
                all.insert(ExactText(name))
                if before == ["OWNER", "TO"] { owners.insert(ExactText(name)) }
                before = [before[1], "role"]
            } else {
                let word = token.keyword ?? String(decoding: token.bytes, as: UTF8.self)
                before = [before[1], word]
            }
        }
        return (
            known.filter { all.contains(ExactText($0)) },
            known.filter { owners.contains(ExactText($0)) }
        )
    }

    /// The roles that policies and user mappings name: no omission of owners and grants leaves these out.
    var rolesOfPoliciesAndMappings: [String] {
        let words = words
        var names: [String] = []
        for index in words.indices where words[index].keyword == "CREATE" {
            let rest = words[index...].dropFirst()
            for name in Self.policyRoles(rest) + Self.mappedRoles(rest)
            where !names.contains(where: name.isExactly) { names.append(name) }
        }
        return names
    }

    /// Those of `POLICY name ON table FOR SELECT TO one, two USING (…)`.
    private static func policyRoles(_ words: ArraySlice<SQLTokens.Token>) -> [String] {
        guard words.first?.keyword == "POLICY" else { return [] }
        let ends = ["USING", "WITH"]
        return words.prefix { word in
            word.bytes != [UInt8(ascii: ";")] && !(word.keyword.map(ends.contains) ?? false)
        }.drop { $0.keyword != "TO" }.dropFirst().compactMap(\.identifier)
    }

    /// That of `USER MAPPING FOR one SERVER …`, unless it is everybody's.
    private static func mappedRoles(_ words: ArraySlice<SQLTokens.Token>) -> [String] {
        let start: [String?] = ["USER", "MAPPING", "FOR"]
        guard words.prefix(3).map(\.keyword) == start,
            let role = words.dropFirst(3).first, role.keyword != "PUBLIC"
        else { return [] }
        return role.identifier.map { [$0] } ?? []
    }

    private var words: [SQLTokens.Token] {
        SQLTokens(bytes).tokens.filter { !$0.bytes.allSatisfy { $0 <= 0x20 } }
    }

    /// The names of the server's own collations that it uses.
    var collations: [String] {
        let words = words
        var names: [String] = []
        for index in words.indices.dropLast(3)
        where words[index].keyword == "COLLATE" && words[index + 1].identifier == "pg_catalog" {
            guard words[index + 2].isDot, let name = words[index + 3].identifier else { continue }
            if !names.contains(where: name.isExactly) { names.append(name) }
        }
        return names
    }

    /// The names of the tablespaces that it puts things into.
    var tablespaces: [String] {
        let words = words
        var names: [String] = []
        for index in words.indices.dropLast(3)
        where words[index].keyword == "SET" && words[index + 1].keyword == "DEFAULT_TABLESPACE"
            && words[index + 2].bytes == [UInt8(ascii: "=")]
        {
            // That of the database is an empty string.
            guard let name = words[index + 3].identifier else { continue }
            if !names.contains(where: name.isExactly) { names.append(name) }
        }
        return names
    }

    /// Whether a backslash in its plain strings is doubled: the archive is of a session that was set so.
    private var doublesBackslashes: Bool {
        head.contains { $0.elementsEqual("SET standard_conforming_strings = off;".utf8) }
    }

    /// Sends it to the server in one message.
    ///
    /// All of it is divided into words before its first statement runs, so that what its head says of strings must
    /// hold before.
    func send(on connection: PostgresConnection) async throws {
        guard doublesBackslashes else { return try await connection.executeInterruptibly(bytes) }
        try await connection.execute("SET standard_conforming_strings = off")
        try await connection.executeInterruptibly(bytes)
        try await connection.execute("SET standard_conforming_strings = on")
    }

    /// Runs it on a connection, in the transaction that is open there.
    ///
    /// - Throws: `BackupError` that names what could not be made; nothing but a rollback may follow it.
    func run(on connection: PostgresConnection, to what: String) async throws {
        do {
            try await send(on: connection)
        } catch let error as PostgresError {
            var place = error.position.flatMap(entry(at:))
            if place == nil { place = await entry(refusedWith: error, on: connection) }
            throw error.backupError(while: "cannot \(what)\(place.map { ": \($0)" } ?? "")")
        }
    }
}
