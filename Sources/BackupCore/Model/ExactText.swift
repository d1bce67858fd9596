/// A text that equals another only when both have the same bytes.
///
/// Swift's `String` takes é and e with a combining accent for equal, and a quote with a combining
/// accent for another character than a quote. Databases do neither: names are compared and quoted
/// by their bytes.
public struct ExactText: Hashable, Comparable, Sendable {
    private let bytes: [UInt8]

    /// The bytes of `text` in UTF-8.
    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Byte by byte.
    public static func < (left: ExactText, right: ExactText) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension String {
    /// Whether both have the same bytes.
    public func isExactly(_ other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// Whether the bytes come before the other's.
    public func precedesExactly(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }

    /// Whether the bytes begin with those of `prefix`.
    public func startsExactly(with prefix: String) -> Bool {
        utf8.starts(with: prefix.utf8)
    }

    /// The text with every `scalar` replaced, also where a combining character follows it.
    public func replacing(scalar: Unicode.Scalar, with replacement: String) -> String {
        var text = String.UnicodeScalarView()
        for each in unicodeScalars {
            if each == scalar {
                text.append(contentsOf: replacement.unicodeScalars)
            } else {
                text.append(each)
            }
        }
        return String(text)
    }
}
