/// What `pg_restore --verbose --file=-` writes: the statements of an archive, each entry's behind a comment with its number.
enum PostgresVerboseScript {
    private static let entryMark = Array("-- TOC entry ".utf8)

    /// Gives the lines of entries, with the entries' numbers.
    ///
    /// By bytes: a pattern is compiled again for each of the hundred thousand lines.
    static func eachLine(
        of script: [UInt8], _ body: (_ entry: Int, _ line: ArraySlice<UInt8>) -> Void
    ) {
        var id: Int?
        for line in script.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: entryMark) {
                let number = line.dropFirst(entryMark.count).prefix { $0 != UInt8(ascii: " ") }
                id = Int(String(decoding: number, as: UTF8.self))
            } else if let id {
                body(id, line)
            }
        }
    }

    /// The numbers of entries that have such a line.
    static func entries(
        of script: [UInt8], with isSuch: (_ line: ArraySlice<UInt8>) -> Bool
    ) -> Set<Int> {
        var found: Set<Int> = []
        eachLine(of: script) { id, line in
            if isSuch(line) { found.insert(id) }
        }
        return found
    }

    /// All lines of some entries, each with its end: names may have several.
    static func texts(of entries: Set<Int>, in script: [UInt8]) -> [Int: [UInt8]] {
        guard !entries.isEmpty else { return [:] }
        var texts: [Int: [UInt8]] = [:]
        eachLine(of: script) { id, line in
            guard entries.contains(id) else { return }
            texts[id, default: []].append(contentsOf: line)
            texts[id, default: []].append(UInt8(ascii: "\n"))
        }
        return texts
    }
}
