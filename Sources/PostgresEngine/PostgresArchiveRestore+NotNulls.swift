/// `NOT NULL` constraints that have let rows be: an archive has them behind the rows, listed like keys (PostgreSQL 18).
extension PostgresArchiveRestore {
    /// The columns that they are of, by the numbers of their entries.
    static func columnsNotNull(in script: [UInt8]) -> [Int: String] {
        let beginning = Array("    ADD CONSTRAINT ".utf8)
        var columns: [Int: String] = [:]
        PostgresVerboseScript.eachLine(of: script) { id, line in
            guard line.starts(with: beginning) else { return }
            let words = SQLTokens(Array(line)).tokens.filter { !$0.isSpace }
            guard words.count > 5, words[3].keyword == "NOT", words[4].keyword == "NULL" else {
                return
            }
            columns[id] = words[5].identifier
        }
        return columns
    }

    /// Those of some entries.
    func notNulls(among ids: Set<Int>) -> Set<Int> {
        archive.entries(of: "CONSTRAINT", among: ids).filter { columnsNotNull[$0] != nil }
    }

    /// Makes them one by one, those of heirs and parts before those of what these inherit from.
    ///
    /// That one takes what its heirs have for its own. The other way around it gives them one of its name, beside which the
    /// server makes no other of that column; side by side it may be either way.
    func makeNotNulls(
        _ entries: Set<Int>, _ what: String, failuresAreExpected: Bool
    ) async throws -> [String] {
        let steps = Dictionary(grouping: entries) { id in
            tables(above: archive[id].flatMap { archive.table(of: $0) }).count
        }
        var problems: [String] = []
        for (_, step) in steps.sorted(by: { $0.key > $1.key }) {
            problems += try await make(
                what, "post-data", Set(step), failuresAreExpected: failuresAreExpected)
        }
        return problems
    }

    /// What a table inherits from or is a part of, at whatever height: more than any of these has above it.
    private func tables(above table: Int?) -> Set<Int> {
        var above: Set<Int> = []
        var open = [table].compactMap(\.self)
        while let id = open.popLast() {
            let parents = archive[id]?.dependencies ?? []
            let wholes = archive.wholesOfParts[id] ?? []
            for next in parents + wholes {
                let isTable = archive[next]?.isTable ?? false
                if isTable, above.insert(next).inserted { open.append(next) }
            }
        }
        return above
    }
}
