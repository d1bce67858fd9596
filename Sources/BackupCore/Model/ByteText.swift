/// A number of bytes as people read it: `812 B`, `14.2 MB`, `1.3 GB` (powers of ten).
public struct ByteText: Sendable, CustomStringConvertible {
    /// The text.
    public let description: String

    /// Writes a number of bytes.
    public init(_ count: Int) {
        var value = Double(count)
        let units = ["kB", "MB", "GB", "TB", "PB"]
        guard count >= 1000 else {
            description = "\(count) B"
            return
        }
        var unit = -1
        while value >= 999.95, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        description = "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
