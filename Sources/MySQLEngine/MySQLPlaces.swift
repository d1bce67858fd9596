/// The labels of an `ENUM` or a `SET` some of which are equal to the server: only their places tell them apart.
///
/// A backup holds places where its source took labels for equal, and labels where it did not, as older backups do everywhere.
struct MySQLPlaces: Sendable {
    private static let comma = UInt8(ascii: ",")

    private let prefix: [UInt8]
    /// Of each label: its place, or its bit.
    private let numbers: [[UInt8]: UInt64]
    private let isSet: Bool

    /// Numbers the labels, in their order.
    ///
    /// `prefix`: What stands before numbers, so that no label is like one.
    init(prefix: String, labels: [String], isSet: Bool) {
        self.prefix = Array(prefix.utf8)
        self.isSet = isSet
        let numbers = labels.enumerated().map { index, label in
            (Array(label.utf8), isSet ? 1 << UInt64(index) : UInt64(index) + 1)
        }
        // A value that was never allowed has no text.
        self.numbers = Dictionary(numbers + [([], 0)]) { first, _ in first }
    }

    /// What means the same value, whatever the collation is; nil for what is neither a number nor a label.
    func number(for value: [UInt8]) -> [UInt8]? {
        let digits = value.dropFirst(prefix.count)
        if value.starts(with: prefix), !digits.isEmpty,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        {
            return value
        }
        let labels =
            isSet
            ? value.split(separator: Self.comma, omittingEmptySubsequences: false).map(Array.init)
            : [value]
        var sum: UInt64 = 0
        for label in labels {
            guard let number = numbers[label] else { return nil }
            sum |= number
        }
        return prefix + "\(sum)".utf8
    }
}
