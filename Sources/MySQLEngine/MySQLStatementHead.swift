import BackupCore

/// What a `CREATE` statement makes, as its first words say.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/sql-data-definition-statements.html>
struct MySQLStatementHead {
    let kind: MySQLObject.Kind
    let name: String
    /// The account that it acts for, in the quotes of the usual mode.
    let definer: String?
    /// The table that a trigger belongs to.
    let table: String?
    /// Where the account stands, with the words before it and the space behind it.
    private let definerTokens: Range<Int>?
    /// Databases in front of names in the head, with their dots.
    private let qualifiers: [Range<Int>]
    /// Where the name stands.
    private let nameToken: Int
    /// Where the name of a trigger's table stands.
    private let tableToken: Int?
    private let tokens: [MySQLTokens.Token]

    /// Nil for a statement that makes nothing of a known kind.
    init?(_ statement: String) {
        tokens = MySQLTokens(statement).tokens
        var reader = Reader(tokens: tokens)
        guard reader.next()?.keyword == "CREATE" else { return nil }
        var definer: (Range<Int>, String)?
        var kind: MySQLObject.Kind?
        while kind == nil, let token = reader.next() {
            if token.keyword == "DEFINER" {
                // Not the one of SQL SECURITY DEFINER, which names nobody.
                definer = definer ?? reader.account()
            } else {
                kind = token.keyword.flatMap(MySQLObject.Kind.init(rawValue:))
            }
        }
        guard var kind else { return nil }
        if kind == .package, reader.peek()?.keyword == "BODY" {
            reader.skip()
            kind = .packageBody
        }
        reader.skip(["IF", "NOT", "EXISTS"])
        guard let name = reader.name() else { return nil }
        var qualifiers = [name.qualifier].compactMap(\.self)
        var (table, tableToken) = (String?.none, Int?.none)
        if kind == .trigger {
            while let token = reader.next(), token.keyword != "ON" {}
            let owner = reader.name()
            (table, tableToken) = (owner?.name, owner?.place)
            qualifiers += [owner?.qualifier].compactMap(\.self)
        }
        (self.kind, self.name, self.table) = (kind, name.name, table)
        (definerTokens, self.definer) = (definer?.0, definer?.1)
        self.qualifiers = qualifiers
        (nameToken, self.tableToken) = (name.place, tableToken)
    }

    /// The statement for whichever database is the session's: names in its head without a database.
    ///
    /// `acting`: For whom it acts.
    func statement(acting: MySQLDefiner, renamed: String? = nil) -> String {
        var left = IndexSet(qualifiers)
        if acting != .kept, let definerTokens { left.add(definerTokens) }
        var bytes: [UInt8] = []
        for (index, token) in tokens.enumerated() {
            if index == definerTokens?.lowerBound, case .account(let account) = acting {
                bytes += "DEFINER = \(account) ".utf8
            }
            guard !left.contains(index) else { continue }
            if index == nameToken, let renamed {
                bytes += MySQLText.identifier(renamed).utf8
            } else {
                bytes += token.bytes
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The statement with other names, of what it makes and of a trigger's table, and another comment on it; nil leaves each as
    /// it is.
    ///
    /// A name that cannot be told from what follows it stays, too.
    ///
    /// `comment`: A literal. Where none stands, none is put.
    func statement(naming name: String?, on table: String?, comment: String?) -> String {
        var pieces = tokens.map(\.bytes)
        let names: [(Int?, String?)] = [(nameToken, name), (tableToken, table)]
        for (place, name) in names {
            guard let place, let name, !(tokens[place].name?.isExactly(name) ?? false),
                isWhole(place)
            else { continue }
            pieces[place] = Array(MySQLText.identifier(name).utf8)
        }
        if let comment, let place = commentToken { pieces[place] = Array(comment.utf8) }
        return String(decoding: pieces.joined(), as: UTF8.self)
    }

    /// Whether behind a name stands what always stands there.
    ///
    /// Taken for text of a set with signs of several bytes, a name may swallow the quote behind it, and what follows is read as a
    /// part of it.
    private func isWhole(_ place: Int) -> Bool {
        let next = tokens[(place + 1)...].first(where: \.isCode)
        return switch kind {
        case .trigger where place == tableToken: next?.keyword == "FOR"
        case .trigger: ["BEFORE", "AFTER"].contains(next?.keyword)
        case .event: next?.keyword == "ON"
        default: next?.isSign("(") ?? false
        }
    }

    /// The comment of a routine or an event, which stands before its body.
    ///
    /// The same word in parentheses is a parameter, or a label of one.
    private var commentToken: Int? {
        var (depth, isBehindWord) = (0, false)
        for index in tokens.indices where index > nameToken && tokens[index].isCode {
            if isBehindWord, depth == 0, tokens[index].kind == .string { return index }
            if tokens[index].isSign("(") { depth += 1 }
            if tokens[index].isSign(")") { depth -= 1 }
            isBehindWord = tokens[index].keyword == "COMMENT"
        }
        return nil
    }

    /// Positions that are left out.
    private struct IndexSet {
        private var ranges: [Range<Int>]

        init(_ ranges: [Range<Int>]) { self.ranges = ranges }

        mutating func add(_ range: Range<Int>) { ranges.append(range) }

        func contains(_ index: Int) -> Bool { ranges.contains { $0.contains(index) } }
    }

    /// Goes through the words, past space and comments.
    private struct Reader {
        let tokens: [MySQLTokens.Token]
        private(set) var position = 0

        init(tokens: [MySQLTokens.Token]) { self.tokens = tokens }

        mutating func next() -> MySQLTokens.Token? {
            while position < tokens.count {
                position += 1
                if tokens[position - 1].isCode { return tokens[position - 1] }
            }
            return nil
        }

        func peek() -> MySQLTokens.Token? {
            var copy = self
            return copy.next()
        }

        mutating func skip() { _ = next() }

        mutating func skip(_ words: [String]) {
            for word in words where peek()?.keyword == word { skip() }
        }

        /// `name` or `database.name`.
        mutating func name() -> (name: String, place: Int, qualifier: Range<Int>?)? {
            guard let first = next(), let name = first.name else { return nil }
            let start = position - 1
            guard peek()?.isSign(".") ?? false else { return (name, start, nil) }
            skip()
            guard let own = next()?.name else { return nil }
            return (own, position - 1, start..<(position - 1))
        }

        /// Behind the word `DEFINER`: `= account`; from that word to the space behind the account.
        mutating func account() -> (Range<Int>, String)? {
            let start = position - 1
            guard peek()?.isSign("=") ?? false else { return nil }
            skip()
            let user = next()
            let account = position - 1
            var quoted: String?
            if peek()?.isSign("@") ?? false {
                skip()
                let host = next()
                quoted = user?.name.flatMap { user in
                    host?.name.map {
                        "\(MySQLText.identifier(user))@\(MySQLText.identifier($0))"
                    }
                }
            } else if peek()?.isSign("(") ?? false {
                // current_user()
                skip()
                skip()
            }
            let bytes = tokens[account..<position].flatMap(\.bytes)
            let end =
                position < tokens.count && tokens[position].kind == .space ? position + 1 : position
            return (start..<end, quoted ?? String(decoding: bytes, as: UTF8.self))
        }
    }
}
