import BackupCore

/// Versions of what decides what the text of rows means: schemas, types, what has a name that rows can hold.
struct PostgresMeaning: Sendable {
    /// One row of a catalog.
    struct Version: Sendable {
        /// Another one after every change, one back to what it was included.
        let number: String
        /// All that it says, but for whose it is.
        let content: String
        /// Its owner and privileges, which no row depends on.
        let access: String

        /// Whether a later version means the same.
        ///
        /// Where nothing else explains a new number, something was changed and changed back.
        func isKept(by later: Version) -> Bool {
            if number.isExactly(later.number) { return true }
            return content.isExactly(later.content) && !access.isExactly(later.access)
        }
    }

    /// By kind and number: `schema 2200`, `named type 16391`.
    var versions: [String: Version] = [:]

    /// The kind of something that has another meaning later, or had one in between; nil where there is nothing.
    func change(to later: PostgresMeaning) -> String? {
        for (thing, version) in versions {
            guard let now = later.versions[thing], version.isKept(by: now) else {
                return Self.kind(of: thing)
            }
        }
        // No row can name what was made meanwhile; what a value is made of may have got one part more.
        return later.versions.keys.first { versions[$0] == nil && !Self.isNamed($0) }
            .map(Self.kind)
    }

    private static func kind(of thing: String) -> String {
        thing.split(separator: " ").prefix { $0.first?.isLetter == true }.joined(separator: " ")
    }

    /// Whether it is something that rows can hold the name of.
    private static func isNamed(_ thing: String) -> Bool {
        ["relation ", "function ", "operator ", "named "].contains { thing.hasPrefix($0) }
    }
}
