/// Where a backup's moment is in the binary log of its server, as its `source_identity` says.
public struct MySQLLogPlace: Sendable {
    /// A file of the log: `binlog.000007`.
    public let file: String?
    /// How many bytes of that file there were.
    public let position: String?
    /// The set of all transactions until then (MySQL with `gtid_mode = ON`).
    public let executed: String?
    /// The last transaction of each domain (MariaDB).
    public let domains: String?

    /// In front of the names of a place where the log was shortly before: not the moment's own, but it tells as well whether
    /// the log went on.
    private static let near = "near_"

    private static let files = [
        (file: "file", position: "position"),
        (file: "binlog_snapshot_file", position: "binlog_snapshot_position"),
    ]

    /// The place of a moment itself; nil where nobody knows it.
    public init?(of identity: [String: String]) {
        self.init(identity, in: [""])
        guard file != nil || executed != nil || domains != nil else { return nil }
    }

    /// `prefixes`: What may be in front of the names, the best first.
    private init(_ identity: [String: String], in prefixes: [String]) {
        func first(_ names: String...) -> String? {
            prefixes.lazy.flatMap { prefix in names.map { prefix + $0 } }
                .compactMap { identity[$0] }.first.map { $0.filter { !$0.isWhitespace } }
        }
        let pair = prefixes.lazy.flatMap { prefix in
            Self.files.map { (identity[prefix + $0.file], identity[prefix + $0.position]) }
        }.first { $0.0 != nil && $0.1 != nil }
        (file, position) = (pair?.0, pair?.1)
        executed = first("gtid_executed", "binlog_snapshot_gtid_executed")
        domains = first("gtid_current_pos")
    }

    /// What a log said of itself shortly before a moment, by names that tell so.
    ///
    /// `exact`: The names of what is true of the moment itself.
    static func nearby(
        _ position: [String: String], besides exact: Set<String> = []
    ) -> [String: String] {
        position.reduce(into: [:]) { nearby, entry in
            nearby[exact.contains(entry.key) ? entry.key : near + entry.key] = entry.value
        }
    }

    // MARK: Whether the log went on

    /// Why a server is not the continuation of what it was at another moment: it, or its log, is behind that; nil where it
    /// is not, or where one of both moments has no place.
    ///
    /// A server that was set back and has grown past that moment since looks like one that went on.
    static func setback(since parent: [String: String], to now: [String: String]) -> String? {
        let before = MySQLLogPlace(parent, in: ["", near])
        let after = MySQLLogPlace(now, in: ["", near])
        return before.isIn(after) ?? true
            ? nil : "the server, or its binary log, was set back behind the parent"
    }

    /// Whether a later place has everything of this one; nil where nobody knows.
    ///
    /// What is not understood counts as not there.
    private func isIn(_ later: MySQLLogPlace) -> Bool? {
        if let executed, !executed.isEmpty, let others = later.executed {
            guard let own = MySQLTransactionSet(executed), let all = MySQLTransactionSet(others)
            else { return false }
            return own.isSubset(of: all)
        }
        if let domains, !domains.isEmpty, let others = later.domains {
            guard let own = Self.numbers(domains), let all = Self.numbers(others) else {
                return false
            }
            guard own.allSatisfy({ domain, number in all[domain].map { $0 >= number } ?? true })
            else { return false }
            // A domain whose last transaction came from a server of another number is not named any more.
            if own.keys.allSatisfy({ all[$0] != nil }) { return true }
        }
        guard let own = end, let other = later.end else { return nil }
        // Under another name the log was begun anew.
        return own.name == other.name
            && (own.number, own.position) <= (other.number, other.position)
    }

    /// The last number of each domain: `0-1-100,7-2-5`.
    ///
    /// - SeeAlso: <https://mariadb.com/kb/en/gtid/>
    private static func numbers(_ text: String) -> [UInt64: UInt64]? {
        var numbers: [UInt64: UInt64] = [:]
        for part in text.split(separator: ",") {
            let pieces = part.split(separator: "-").map { UInt64($0) }
            guard pieces.count == 3, let domain = pieces[0], let number = pieces[2] else {
                return nil
            }
            numbers[domain] = max(numbers[domain] ?? 0, number)
        }
        return numbers
    }

    private var end: (name: Substring, number: UInt64, position: UInt64)? {
        guard let file, let dot = file.lastIndex(of: "."),
            let number = UInt64(file[file.index(after: dot)...]),
            let position = position.flatMap({ UInt64($0) })
        else { return nil }
        return (file[..<dot], number, position)
    }
}
