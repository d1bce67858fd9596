/// A script of several entries, taken apart.
extension PostgresScript {
    /// What makes each entry, in the order of the script, behind the head that all of them have; of a script that tells
    /// the numbers of its entries, as `--verbose` has pg_restore write it.
    ///
    /// A line that only looks like the beginning of an entry may stand in a name or a text. Settings that pg_restore writes
    /// in front of an entry, such as its tablespace, go with the one before: this is for entries that have none.
    var entries: [(id: Int, script: PostgresScript)] {
        let newline: [UInt8] = [UInt8(ascii: "\n")]
        var (head, found): ([UInt8], [(id: Int, bytes: [UInt8])]) = ([], [])
        for token in SQLTokens(bytes).tokens {
            if let id = Self.entry(beginningWith: token) { found.append((id, [])) }
            if found.isEmpty {
                head += token.bytes
            } else {
                found[found.count - 1].bytes += token.bytes
            }
        }
        return found.map { entry in
            (entry.id, PostgresScript(bytes: head + newline + entry.bytes))
        }
    }

    /// The number in the comment `-- TOC entry 3456 (class 2606 OID 16400)`.
    private static func entry(beginningWith token: SQLTokens.Token) -> Int? {
        let mark = Array("-- TOC entry ".utf8)
        guard token.kind == .other, token.bytes.starts(with: mark) else { return nil }
        let number = token.bytes.dropFirst(mark.count).prefix { $0 != UInt8(ascii: " ") }
        return Int(String(decoding: number, as: UTF8.self))
    }
}
