import BackupCore

/// What a table computes from its rows, read from its `CREATE TABLE` as the server prints it.
///
/// No file of a backup holds it: the server that takes the rows computes it anew, under the settings of that session.
struct MySQLComputation: Sendable {
    /// Whether there are columns, keys on expressions or conditions, but for those that look at documents.
    let computesValues: Bool
    /// Whether columns, keys on expressions or conditions may make days of texts or numbers while rows are written.
    let computesDays: Bool
    /// Keys that may hold such days: those on expressions, and on columns that are computed whenever they are read.
    let keysOfDays: Set<ExactText>
    /// Those among them that are made with the table: on rows that are there the server makes them only by writing all
    /// of these anew, and computing what is stored with them (MySQL).
    ///
    /// The others on expressions come with them.
    let keysWithTable: Set<ExactText>
    /// Those among them that have an expression.
    let keysOnExpressions: Set<ExactText>
    /// Unique keys that the server finds by a hash, where days are computed: MariaDB makes them only by writing all rows anew,
    /// and everything that comes after them, too.
    let hashedKeys: Set<ExactText>
    /// Columns that keep days.
    let dayColumns: [String]
    /// Whether its rows obey transactions.
    let isTransactional: Bool
    /// Whether computed columns are never NULL.
    let hasNeverNull: Bool
    /// Those of them that may be computed from days.
    let daysNeverNull: [String]
    /// Whether its rows have to fulfil conditions.
    let hasConditions: Bool
    /// Whether a row may be there only because a day was computed that no calendar has: by a condition, but for those that look
    /// at documents, or by a column that is never NULL.
    let mayNeedDays: Bool
    /// What is kept of it and is another in another time zone: columns that are stored, keys, a division into partitions.
    let zoned: [String]

    /// A column that is computed.
    private struct Computed {
        let name: String
        let words: [MySQLTokens.Token]

        /// Whether it is computed whenever it is read, and kept in keys alone.
        var isVirtual: Bool { words.contains { $0.keyword == "VIRTUAL" } }

        /// Whether it cannot hold NULL, which stands behind its expression.
        var isNeverNull: Bool {
            var depth = 0
            var before: String?
            for word in words {
                if word.isSign("(") { depth += 1 }
                if word.isSign(")") { depth -= 1 }
                if depth == 0, before == "NOT", word.keyword == "NULL" { return true }
                before = depth == 0 ? word.keyword : nil
            }
            return false
        }
    }

    /// A key in its parts.
    private struct Key {
        let name: String
        let isUnique: Bool
        /// Whether it is found by a hash.
        let isHashed: Bool
        /// Its columns.
        var columns: Set<String> = []
        /// The words of its expressions.
        var expressions: [MySQLTokens.Token] = []

        init(_ words: [MySQLTokens.Token]) {
            let opening = words.firstIndex { $0.isSign("(") } ?? words.endIndex
            isUnique = words.first?.keyword == "UNIQUE"
            isHashed = zip(words, words.dropFirst()).contains {
                $0.keyword == "USING" && $1.keyword == "HASH"
            }
            name =
                words[..<opening].compactMap { $0.kind == .quotedIdentifier ? $0.identifier : nil }
                .first ?? "PRIMARY"
            var depth = 0
            for word in words[opening...] {
                if word.isSign("(") { depth += 1 }
                if word.isSign(")") { depth -= 1 }
                if depth > 1 {
                    expressions.append(word)
                } else if word.kind == .quotedIdentifier, let column = word.identifier {
                    columns.insert(column.lowercased())
                }
            }
        }

        /// Whether it has an expression; the length of a prefix is none.
        var isComputed: Bool { expressions.contains { $0.kind == .quotedIdentifier } }
    }

    init(_ statement: String) {
        let tokens = MySQLTokens(statement).tokens
        guard let opening = tokens.firstIndex(where: { $0.isSign("(") }),
            let (items, closing) = MySQLTableStatement.items(of: tokens, from: opening + 1)
        else {
            (computesValues, hasNeverNull, daysNeverNull) = (false, false, [])
            (hasConditions, mayNeedDays, hashedKeys) = (false, false, [])
            (computesDays, keysOfDays, isTransactional, zoned) = (false, [], false, [])
            (keysWithTable, keysOnExpressions, dayColumns) = ([], [], [])
            return
        }
        var times: Set<String> = []
        var computed: [Computed] = []
        var keys: [Key] = []
        var days: Set<String> = []
        var dayColumns: [String] = []
        var conditions: [[MySQLTokens.Token]] = []
        for words in items.map({ Self.code(of: $0) }) {
            if let start = words.firstIndex(where: { $0.keyword == "CHECK" }) {
                conditions.append(Array(words[start...]))
            }
            if let first = words.first, first.kind == .quotedIdentifier, words.count > 1 {
                let name = first.identifier ?? ""
                let type = words[1].keyword ?? ""
                if type == "TIMESTAMP" { times.insert(name.lowercased()) }
                if ["DATE", "DATETIME", "TIMESTAMP"].contains(type) {
                    days.insert(name.lowercased())
                    if !words.contains(where: { $0.keyword == "VIRTUAL" }) {
                        dayColumns.append(name)
                    }
                }
                if words.contains(where: { $0.keyword == "GENERATED" }) {
                    computed.append(Computed(name: name, words: Array(words.dropFirst())))
                }
            } else if words.contains(where: { ["KEY", "INDEX"].contains($0.keyword) }),
                words.first?.keyword != "CONSTRAINT"
            {
                keys.append(Key(words))
            }
        }
        let expressions =
            computed.map(\.words) + keys.filter(\.isComputed).map(\.expressions) + conditions
        let computesDays = expressions.contains { Self.computesDays($0, days) }
        computesValues =
            expressions.count > conditions.count || !conditions.allSatisfy(Self.isOfDocuments)
        let names = Set(computed.map { $0.name.lowercased() })
        let neverNull = computed.filter(\.isNeverNull)
        hasNeverNull = !neverNull.isEmpty
        daysNeverNull = neverNull.filter { column in
            Self.computesDays(column.words, days)
                || column.words.contains { names.contains(($0.identifier ?? "").lowercased()) }
        }.map(\.name)
        hasConditions = !conditions.isEmpty
        mayNeedDays = !daysNeverNull.isEmpty || !conditions.allSatisfy(Self.isOfDocuments)
        let read = Set(computed.filter(\.isVirtual).map { $0.name.lowercased() })
        keysOfDays = Set(
            keys.filter { computesDays && ($0.isComputed || !$0.columns.isDisjoint(with: read)) }
                .map { ExactText($0.name) })
        self.computesDays = computesDays
        self.dayColumns = dayColumns
        isTransactional =
            MySQLTableStatement.engine(in: Array(tokens[closing...])) == "INNODB"
        let columns = Self.zoned(among: computed, times)
        let virtual = Set(columns.filter(\.isVirtual).map { $0.name.lowercased() })
        let all = Set(columns.map { $0.name.lowercased() })
        var zoned = columns.filter { !$0.isVirtual }.map(\.name)
        zoned += keys.filter {
            !$0.columns.isDisjoint(with: virtual) || Self.reads($0.expressions, times, all)
        }.map(\.name)
        let border = Self.border(in: Self.code(of: Array(tokens[closing...])))
        let onExpressions = keys.filter { computesDays && $0.isComputed }
        keysOnExpressions = Set(onExpressions.map { ExactText($0.name) })
        hashedKeys = Set(
            keys.filter { computesDays && $0.isUnique && $0.isHashed }.map { ExactText($0.name) })
        keysWithTable = Set(
            onExpressions.filter { $0.isUnique || !border.isEmpty }.map { ExactText($0.name) })
        if border.contains(where: { virtual.contains(($0.identifier ?? "").lowercased()) }) {
            zoned.append("partitions")
        }
        self.zoned = zoned
    }

    /// Whether a condition asks for a document and no more, as MariaDB's `JSON` has it: no mode changes what it is.
    private static func isOfDocuments(_ words: [MySQLTokens.Token]) -> Bool {
        words.filter { $0.kind != .sign && $0.kind != .quotedIdentifier }.map(\.keyword)
            == ["CHECK", "JSON_VALID"]
    }

    /// Those whose values depend on the zone, by a time or by another of them.
    private static func zoned(among columns: [Computed], _ times: Set<String>) -> [Computed] {
        var names: Set<String> = []
        var found: [Computed] = []
        while true {
            found = columns.filter { reads($0.words, times, names) }
            let now = Set(found.map { $0.name.lowercased() })
            guard now != names else { return found }
            names = now
        }
    }

    /// Whether an expression depends on the zone: it reads or makes a time as people read it, or reads what was
    /// computed from one.
    ///
    /// The seconds of a time are the same in every zone, those of a `DATETIME` are not.
    private static func reads(
        _ words: [MySQLTokens.Token], _ times: Set<String>, _ computed: Set<String>
    ) -> Bool {
        func name(_ index: Int) -> String? {
            guard words.indices.contains(index), words[index].kind == .quotedIdentifier else {
                return nil
            }
            return words[index].identifier?.lowercased()
        }
        func isSeconds(_ index: Int) -> Bool {
            words.indices.contains(index) && words[index].keyword == "UNIX_TIMESTAMP"
        }
        return words.indices.contains { index in
            if words[index].keyword == "FROM_UNIXTIME" { return true }
            if isSeconds(index) { return !times.contains(name(index + 2) ?? "") }
            guard let name = name(index) else { return false }
            return computed.contains(name) || times.contains(name) && !isSeconds(index - 2)
        }
    }

    /// By what a table is divided: what stands before its first partition.
    private static func border(in words: [MySQLTokens.Token]) -> ArraySlice<MySQLTokens.Token> {
        guard let start = words.firstIndex(where: { $0.keyword == "PARTITION" }) else { return [] }
        return words[(start + 1)...].prefix { $0.keyword != "PARTITION" }
    }

    /// Without spaces and comments; MySQL prints how it divides a table, and what older servers do not know, in comments
    /// that it reads, behind the number of a version.
    private static func code(of tokens: [MySQLTokens.Token]) -> [MySQLTokens.Token] {
        tokens.filter(\.isCode).flatMap { token in
            guard token.kind == .executableComment else { return [token] }
            let text = token.bytes.dropFirst("/*!".utf8.count).dropLast("*/".utf8.count)
                .drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return MySQLTokens(bytes: Array(text)).tokens.filter(\.isCode)
        }
    }
}
