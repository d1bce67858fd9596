/// A set of transactions, as MySQL writes it: `3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5:11-18:tag:1-3,…`.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/replication-gtids-concepts.html>
struct MySQLTransactionSet: Sendable {
    /// By the server that they come from, and their tag: in order, and never side by side.
    private let ranges: [String: [ClosedRange<UInt64>]]

    /// Nil for a text that is no such set; nothing is the set of none.
    init?(_ text: String) {
        var found: [String: [ClosedRange<UInt64>]] = [:]
        for part in text.filter({ !$0.isWhitespace }).lowercased().split(separator: ",") {
            let pieces = part.split(separator: ":")
            guard let server = pieces.first, pieces.count > 1 else { return nil }
            var origin = String(server)
            for piece in pieces.dropFirst() {
                guard piece.first?.isNumber ?? false else {
                    origin = "\(server):\(piece)"
                    continue
                }
                guard let range = Self.range(piece) else { return nil }
                found[origin, default: []].append(range)
            }
        }
        ranges = found.mapValues(Self.joined)
    }

    /// Whether another set has all of its transactions.
    func isSubset(of other: MySQLTransactionSet) -> Bool {
        ranges.allSatisfy { origin, ranges in
            let others = other.ranges[origin] ?? []
            return ranges.allSatisfy { range in
                others.contains {
                    $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound
                }
            }
        }
    }

    private static func range(_ text: Substring) -> ClosedRange<UInt64>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
        guard ends.count <= 2, let first = ends.first.flatMap(\.self),
            let last = ends.last.flatMap(\.self), first <= last
        else { return nil }
        return first...last
    }

    private static func joined(_ ranges: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
        ranges.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { joined, range in
            guard let last = joined.last,
                range.lowerBound <= last.upperBound
                    || range.lowerBound - last.upperBound == 1
            else { return joined.append(range) }
            joined[joined.count - 1] =
                last.lowerBound...max(last.upperBound, range.upperBound)
        }
    }
}
