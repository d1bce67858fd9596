import BackupCore

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

    /// The entry that a server refuses with these words, where it says of no character that they are about it.
    ///
    /// Looked for in a transaction that takes the place of the one that has failed, and is rolled back: one entry after
    /// another. Nil where it is not found, and where the same may work another time.
    func entry(
        refusedWith refusal: PostgresError, on connection: PostgresConnection
    ) async -> String? {
        let parts = parts
        guard parts.count > 1, !refusal.isOfServer else { return nil }
        // Whatever keeps it from being found: there are words to say already.
        let found = try? await Self.entry(of: parts, refusedWith: refusal, on: connection)
        await PostgresTarget.rollBack(connection)
        return found
    }

    private static func entry(
        of parts: [Part], refusedWith refusal: PostgresError, on connection: PostgresConnection
    ) async throws -> String? {
        try await connection.execute("ROLLBACK")
        try await connection.execute("BEGIN")
        for part in parts {
            do {
                try await connection.executeInterruptibly(part.bytes)
            } catch let error as PostgresError where error.message.isExactly(refusal.message) {
                return part.entry
            }
        }
        return nil
    }

    private typealias Part = (entry: String?, bytes: [UInt8])

    /// Its head, which is no entry, and what makes each entry.
    private var parts: [Part] {
        let mark = Array("-- Name: ".utf8)
        var found: [Part] = [(nil, [])]
        for token in SQLTokens(bytes).tokens {
            if token.kind == .other, token.bytes.starts(with: mark) {
                found.append((Self.entry(in: String(decoding: token.bytes, as: UTF8.self)), []))
            }
            found[found.count - 1].bytes += token.bytes
        }
        return found
    }

    /// The number in the comment `-- TOC entry 3456 (class 2606 OID 16400)`.
    static func entry(beginningWith token: SQLTokens.Token) -> Int? {
        let mark = Array("-- TOC entry ".utf8)
        guard token.kind == .other, token.bytes.starts(with: mark) else { return nil }
        let number = token.bytes.dropFirst(mark.count).prefix { $0 != UInt8(ascii: " ") }
        return Int(String(decoding: number, as: UTF8.self))
    }
}
