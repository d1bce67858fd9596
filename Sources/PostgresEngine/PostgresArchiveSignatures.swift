import BackupCore

/// What tells operators of one name apart, and operator classes and families: their types, and their access method.
///
/// A list has only names. What makes them has the rest, with the types as the server writes them for an empty
/// `search_path`.
///
/// - SeeAlso: `src/bin/pg_dump/pg_dump.c`: `dumpOpr`, `dumpOpclass`, `dumpOpfamily`.
struct PostgresArchiveSignatures {
    /// The oids of `pg_operator`, `pg_opclass` and `pg_opfamily`.
    static let catalogs: Set = ["2617", "2616", "2753"]

    private var statements: [Int: [UInt8]] = [:]

    /// `script`: What `pg_restore --verbose --file=-` writes.
    init(script: [UInt8], of entries: Set<Int>) {
        guard !entries.isEmpty else { return }
        PostgresVerboseScript.eachLine(of: script) { id, line in
            guard entries.contains(id) else { return }
            statements[id, default: []].append(contentsOf: line)
            statements[id, default: []].append(UInt8(ascii: "\n"))
        }
    }

    /// ` (integer, integer)` or ` USING btree`; nil for what pg_restore does not write, and for other kinds.
    func signature(of entry: PostgresArchive.Entry) -> String? {
        guard Self.catalogs.contains(entry.catalog), let statement = statements[entry.id] else {
            return nil
        }
        let tokens = SQLTokens(statement).tokens
        guard entry.catalog == "2617" else {
            return Self.accessMethod(in: tokens).map { " USING \($0)" }
        }
        // As `regtype` has it where there is no type.
        let types = ["LEFTARG", "RIGHTARG"].map { Self.argument($0, in: tokens) ?? "-" }
        return " (\(types.joined(separator: ", ")))"
    }

    private static func argument(_ keyword: String, in tokens: [SQLTokens.Token]) -> String? {
        var rest = tokens[...]
        while let place = rest.firstIndex(where: { $0.keyword == keyword }) {
            rest = rest[(place + 1)...].drop { $0.isSpace }
            // A function may have that name.
            guard rest.first?.bytes == [UInt8(ascii: "=")] else { continue }
            var type = rest.dropFirst().prefix { token in
                !token.isComma && token.bytes != [UInt8(ascii: ")")]
            }.drop { $0.isSpace }
            while type.last?.isSpace ?? false { type.removeLast() }
            return String(decoding: type.flatMap(\.bytes), as: UTF8.self)
        }
        return nil
    }

    private static func accessMethod(in tokens: [SQLTokens.Token]) -> String? {
        let rest = tokens.drop { $0.keyword != "USING" }.dropFirst()
        return rest.first { !$0.isSpace }?.identifier
    }
}
