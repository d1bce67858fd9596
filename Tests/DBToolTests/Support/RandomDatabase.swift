import BackupTesting

/// SQL that makes a database of random tables and rows; the same for the same seed.
struct RandomDatabase {
    let sql: String
    private var random: SplitMix

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        var statements = [
            "SET client_encoding = 'UTF8'", "SET check_function_bodies = off",
            "CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"', 'happy, very', '')",
            "CREATE DOMAIN short AS varchar(40) CHECK (length(VALUE) < 41)",
            "CREATE TYPE pair AS (a integer, \"B b\" text)",
        ]
        var generator = random
        var names = Set<String>()
        for schema in ["public"] + (0..<generator.below(3)).map({ _ in generator.name(&names) }) {
            if schema != "public" { statements.append("CREATE SCHEMA \(Workbench.quoted(schema))") }
            for _ in 0..<(1 + generator.below(4)) {
                let table =
                    "\(Workbench.quoted(schema)).\(Workbench.quoted(generator.name(&names)))"
                statements += generator.table(table)
            }
        }
        random = generator
        sql = statements.map { "\($0);\n" }.joined()
    }
}

/// Random numbers that a seed determines.
///
/// - SeeAlso: <https://prng.di.unimi.it/splitmix64.c>
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    mutating func one<Element>(of choices: [Element]) -> Element {
        choices[below(choices.count)]
    }

    // MARK: Names

    private static let nameParts = [
        "a", "B", "b", "Ä", "ä", "a\u{308}", "文", "😀", "_", "-", " ", "  ", ".", "..", "/", "\\",
        "\"", "'", "%", "%2E", "\n", "\r", "\t", "$", "$$", "*", "?", "~", "~2", "#", ";", "--",
        "{}",
        "select", "CON", "x", "9", "\u{2028}", "\u{301}", "\u{1}", "long name of a table ",
    ]

    /// A name that no other has; at most 63 bytes, which the server would cut.
    mutating func name(_ used: inout Set<String>) -> String {
        while true {
            var name = ""
            for _ in 0...below(4) { name += one(of: Self.nameParts) }
            // By bytes: for Swift some of these are equal that are not for the server.
            let bytes = name.utf8.map { String($0, radix: 16) }.joined(separator: " ")
            let isTaken = used.contains(bytes) || name.hasPrefix("pg_")
            if name.utf8.count <= 63, !isTaken {
                used.insert(bytes)
                return name
            }
        }
    }

    // MARK: Tables

    private enum Key: CaseIterable { case none, number, numberAndText, uniqueText }
    private enum Partitions: CaseIterable { case none, list, range, hash }

    private struct Column {
        let name: String
        let type: String
        let values: [String]
    }

    mutating func table(_ table: String) -> [String] {
        let key = one(of: Key.allCases)
        let partitions = below(3) == 0 ? one(of: Partitions.allCases) : .none
        var names: Set<String> = ["6e", "6b"]
        let columns = (0..<below(7)).map { _ in
            let kind = one(of: Self.types)
            return Column(name: name(&names), type: kind.0, values: kind.1)
        }
        var definitions: [String] = []
        if key != .none || partitions != .none { definitions.append("n integer NOT NULL") }
        if key == .numberAndText || key == .uniqueText { definitions.append("k text NOT NULL") }
        definitions += columns.map { "\(Workbench.quoted($0.name)) \($0.type)" }
        if below(5) == 0, key != .none {
            definitions.append("computed integer GENERATED ALWAYS AS (n * 2) STORED")
        }
        switch key {
        case .none: break
        case .number: definitions.append("PRIMARY KEY (n)")
        case .numberAndText: definitions.append("PRIMARY KEY (k, n)")
        case .uniqueText: definitions.append("UNIQUE (n, k)")
        }
        let create = "CREATE TABLE \(table) (\(definitions.joined(separator: ", ")))"
        return [create + clause(partitions)] + parts(partitions, of: table)
            + rows(of: table, columns, key, partitions)
    }

    private func clause(_ partitions: Partitions) -> String {
        switch partitions {
        case .none: ""
        case .list: " PARTITION BY LIST (n)"
        case .range: " PARTITION BY RANGE (n)"
        case .hash: " PARTITION BY HASH (n)"
        }
    }

    private mutating func parts(_ partitions: Partitions, of table: String) -> [String] {
        let bounds: [String] =
            switch partitions {
            case .none: []
            case .list: ["FOR VALUES IN (1, 2, 3)", "DEFAULT"]
            case .range:
                ["FOR VALUES FROM (MINVALUE) TO (10)", "FOR VALUES FROM (10) TO (MAXVALUE)"]
            case .hash: (0..<3).map { "FOR VALUES WITH (MODULUS 3, REMAINDER \($0))" }
            }
        return bounds.map { "CREATE TABLE public.part_\(next()) PARTITION OF \(table) \($0)" }
    }

    // MARK: Rows

    private mutating func rows(
        of table: String, _ columns: [Column], _ key: Key, _ partitions: Partitions
    ) -> [String] {
        let hasNumber = key != .none || partitions != .none
        let hasText = key == .numberAndText || key == .uniqueText
        guard hasNumber || !columns.isEmpty else {
            return (0..<below(4)).map { _ in "INSERT INTO \(table) DEFAULT VALUES" }
        }
        let count = one(of: [0, 1, 2, 7, 60, 400])
        let names =
            (hasNumber ? ["n"] : []) + (hasText ? ["k"] : [])
            + columns.map { Workbench.quoted($0.name) }
        let list = names.joined(separator: ", ")
        var number = 0
        return stride(from: 0, to: count, by: 100).map { start in
            let tuples = (start..<min(start + 100, count)).map { _ in
                number += 1 + below(3)
                let values =
                    (hasNumber ? ["\(number)"] : []) + (hasText ? [one(of: Self.keyTexts)] : [])
                    + columns.map { below(5) == 0 ? "NULL" : one(of: $0.values) }
                return "(\(values.joined(separator: ", ")))"
            }
            return "INSERT INTO \(table) (\(list)) VALUES\n\(tuples.joined(separator: ",\n"))"
        }
    }

    // MARK: Values

    private static let keyTexts = [
        "''", "' '", "'NULL'", #"'\N'"#, #"'\.'"#, #"E'\n\\.\n'"#, #"'"'"#, #"'""'"#, "','", "';'",
        #"E'\n'"#, #"E'\r'"#, #"E'\r\n'"#, #"E'a\nb'"#, "'a,b'", #"'a"b'"#, #"'\'"#, "''''",
        #"E'\t'"#, "'é'", #"U&'e\0301'"#, "'文字'", "'😀'", #"E'\u2028'"#, #"E'\x01\x7f'"#, "'=1+1'",
        "'-1'", "'#'", #"'\x00'"#, "'trailing '", "' leading'", "'0'",
    ]

    /// Texts as SQL literals: whatever a CSV file, a shell or a program may trip over.
    private static let texts = keyTexts + [#"repeat('long, "text" ', 3000)"#]

    private static let types: [(String, [String])] = [
        ("text", texts), ("varchar(100)", keyTexts), (#"text COLLATE "C""#, texts),
        ("character(7)", ["''", "'a'", "'é'", "' b'", #"'"'"#]),
        (#""char""#, ["'a'", "''", "','", #"'"'"#]), ("name", ["'n'", "''", "'a,b'"]),
        ("integer", ["0", "-1", "2147483647", "-2147483648"]), ("smallint", ["-32768", "7"]),
        ("bigint", ["9223372036854775807", "-9223372036854775808", "0"]),
        ("numeric", ["'NaN'", "1e100", "-0.000000000000000000000001", "1.00", "1.0", "0"]),
        ("numeric(12, 4)", ["12345678.9012", "-0.0001", "'NaN'"]),
        ("real", ["'NaN'", "'Infinity'", "'-0'", "1e-45", "0.1", "16777217"]),
        ("double precision", ["'NaN'", "'-Infinity'", "'-0'", "5e-324", "0.1", "1e308"]),
        ("boolean", ["true", "false"]),
        ("bytea", ["''", #"'\x00'"#, #"'\x5c2e0a'"#, #"'\xff00ff'"#]),
        ("date", ["'infinity'", "'0001-01-01 BC'", "'2024-02-29'"]),
        ("timestamp", ["'-infinity'", "'2024-03-31 02:30:00.000001'", "'4713-01-01 BC'"]),
        ("timestamptz", ["'infinity'", "'2024-03-31 01:30Z'", "'1900-01-01 12:00:00.5+09:18:59'"]),
        ("time", ["'24:00'", "'00:00:00.000001'"]), ("timetz", ["'12:00+15:59'", "'00:00-12'"]),
        ("interval", ["'1 mon -1 day 00:00:00.000001'", "'-178000000 years'", "'0'"]),
        ("uuid", ["'00000000-0000-0000-0000-000000000000'"]),
        ("json", [#"'{"a" : [1, "x,\n"],  "a":null}'"#, #"'""'"#, "'null'"]),
        ("jsonb", [#"'{"b": 1.10, "a": ["\"", {}]}'"#, "'null'"]),
        ("inet", ["'::1/64'", "'10.0.0.1'"]), ("macaddr8", ["'08:00:2b:01:02:03:04:05'"]),
        (
            "text[]",
            ["'{}'", #"'{NULL,"NULL","","a,b","\""}'"#, "'[2:3]={x,y}'", "'{{a},{b}}'"]
        ),
        ("integer[]", ["'{1,NULL,-3}'", "'{}'", "'[-1:0]={7,8}'"]),
        ("int4range", ["'empty'", "'[1,5)'", "'(,)'"]),
        ("tsrange", [#"'["2024-01-01 00:00",infinity)'"#]), ("point", ["'(0.1,-1e-300)'"]),
        ("bit varying", ["B''", "B'0101'"]), ("tsvector", ["'''a b'':1A c:2,3'"]),
        ("mood", ["'sad'", #"'it''s "ok"'"#, "'happy, very'", "''"]),
        ("mood[]", [#"'{sad,"happy, very","",NULL}'"#]), ("short", ["'s'", "''"]),
        ("pair", ["'(1,)'", #"'(,"a ""b"", c")'"#, "'(,)'", #"'(2,"")'"#]),
        ("pg_lsn", ["'0/0'", "'FF/1'"]), ("money", ["'-1.05'"]), ("oid", ["4294967295"]),
    ]
}
