import BackupCore

/// Which of several grants on databases a server heeds, where more than one fits: the closest alone, in its own order.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/grant.html#grant-database-privileges>,
///   <https://mariadb.com/kb/en/grant/>
enum MySQLGrantPrecedence: Sendable {
    /// A name without wildcards, then the database's own name although a sign in it stands for any.
    case mariaDB
    /// The later the first wildcard, the closer. Between equals the order decides in which they were made.
    case mySQL
    /// What an account and its roles have is one list: a name without such signs, or what comes first of all that fit, in the
    /// order of their bytes. Versions that add these up give no less.
    case mySQLWithRoles

    /// Those that may be the one, among the patterns that fit a database: what only some of them give, nobody may count on.
    func heeded(among patterns: [String], for database: String) -> [String] {
        if self == .mySQLWithRoles {
            let literal = patterns.first { $0.isExactly(database) && !Self.hasSigns($0) }
            return [literal ?? patterns.min { ExactText($0) < ExactText($1) }].compactMap(\.self)
        }
        let closest = patterns.map { rank($0, database) }.max()
        return patterns.filter { rank($0, database) == closest }
    }

    private func rank(_ pattern: String, _ database: String) -> Int {
        guard let wildcard = Self.firstWildcard(pattern) else { return .max }
        return self == .mariaDB ? (pattern.isExactly(database) ? 1 : 0) : wildcard
    }

    /// Where the first sign is that stands for others.
    private static func firstWildcard(_ pattern: String) -> Int? {
        var isEscaped = false
        for (place, byte) in pattern.utf8.enumerated() {
            if !isEscaped, signs.contains(byte) { return place }
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        }
        return nil
    }

    private static func hasSigns(_ pattern: String) -> Bool {
        pattern.utf8.contains { signs.contains($0) }
    }

    private static let signs = [UInt8(ascii: "%"), UInt8(ascii: "_")]
}
