/// Lower-case hex digits.
public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte.
    public static func string(of bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// All sixteen digits of a 64-bit number.
    public static func string(of number: UInt64) -> String {
        string(of: (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
    }
}
