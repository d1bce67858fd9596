/// A guess at a UUID between two, in the order of MariaDB's type.
///
/// - SeeAlso: <https://mariadb.com/kb/en/uuid-data-type/>
enum MySQLUUIDMiddle {
    /// The last group first, where the version is one of those that begin with what changes most.
    private static let swapped =
        Array(20..<32) + Array(16..<20) + [12, 13, 14, 15]
        + [8, 9, 10, 11] + Array(0..<8)

    /// `lower`, `upper`: As the server writes them.
    static func middle(_ lower: String, _ upper: String, _ letters: MySQLLetters) -> String? {
        let (low, high) = (lower.filter(\.isHexDigit), upper.filter(\.isHexDigit))
        guard low.count == 32, high.count == 32 else { return nil }
        let version = Array(low)[12]
        let order =
            "678".contains(version) || !"89abAB".contains(Array(low)[16]) ? Array(0..<32) : swapped
        func arranged(_ text: String) -> String {
            let digits = Array(text)
            return String(order.map { digits[$0] })
        }
        guard let middle = letters.middle(arranged(low), arranged(high)) else { return nil }
        var digits = [Character](repeating: "0", count: 32)
        for (digit, place) in zip(middle, order) { digits[place] = digit }
        // Of another version it would stand elsewhere.
        for place in [12, 16] { digits[place] = Array(low)[place] }
        return String(digits)
    }
}
