import BackupCore

/// Whom the entries of an archive belong to.
///
/// A list has kind, schema, name and owner with spaces between them, which names may hold as well. The comments of
/// a verbose script have the same in another order, with other words between: one reading fits both.
struct PostgresArchiveOwners {
    private static let nameMark = Array("-- Name: ".utf8)
    private static let kindMark = Array("; Type: ".utf8)
    private static let schemaMark = Array("; Schema: ".utf8)
    private static let ownerMark = Array("; Owner: ".utf8)
    private static let tablespaceMark = Array("; Tablespace: ".utf8)

    /// What stands behind `-- Name: `, by the number of the entry; a body may hold such lines, too.
    private var comments: [Int: [[UInt8]]] = [:]

    /// `script`: What `pg_restore --verbose --file=-` writes.
    init(script: [UInt8]) {
        PostgresVerboseScript.eachLine(of: script) { entry, line in
            guard line.starts(with: Self.nameMark) else { return }
            // Bytes that are no text are replaced here as they are in a list.
            let text = String(decoding: line.dropFirst(Self.nameMark.count), as: UTF8.self)
            comments[entry, default: []].append(Array(text.utf8))
        }
    }

    /// The owner of an entry, empty where it has none; nil for what pg_restore does not write.
    func owner(of entry: PostgresArchive.Entry) -> String? {
        let words = Array(entry.words.utf8)
        for comment in comments[entry.id] ?? [] {
            if let owner = Self.owner(in: comment[...], words) { return owner }
        }
        return nil
    }

    private static func owner(in comment: ArraySlice<UInt8>, _ words: [UInt8]) -> String? {
        for mark in comment.ranges(of: ownerMark) {
            let rest = comment[mark.upperBound...]
            let ends = [rest.endIndex] + rest.ranges(of: tablespaceMark).map(\.lowerBound)
            for end in ends {
                let written = rest[..<end]
                // What belongs to nobody may have a hyphen here, and has nothing in a list.
                let isHyphen = written.elementsEqual([UInt8(ascii: "-")])
                for owner in isHyphen ? [written, []] : [written]
                where fits(comment[..<mark.lowerBound], owner, words) {
                    return String(decoding: owner, as: UTF8.self)
                }
            }
        }
        return nil
    }

    /// Whether `users; Type: TABLE; Schema: public` and an owner are `TABLE public users shop`.
    private static func fits(
        _ head: ArraySlice<UInt8>, _ owner: ArraySlice<UInt8>, _ words: [UInt8]
    ) -> Bool {
        head.ranges(of: kindMark).contains { kind in
            head[kind.upperBound...].ranges(of: schemaMark).contains { schema in
                let parts = [
                    head[kind.upperBound..<schema.lowerBound], head[schema.upperBound...],
                    head[..<kind.lowerBound], owner,
                ]
                return parts.joined(separator: [UInt8(ascii: " ")]).elementsEqual(words)
            }
        }
    }
}
