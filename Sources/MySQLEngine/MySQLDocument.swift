/// A JSON document as MySQL shows it, and which of its numbers would be others if it were read again.
///
/// A number with a point is read as a `DOUBLE`. What a function or a program has put there may be a `DECIMAL`, which keeps
/// its digits: `1.10`, once it was a text, is `1.1`. What a `DOUBLE` would not be shown as was a `DECIMAL`.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/json.html>
enum MySQLDocument {
    /// A number that only a `DECIMAL` is.
    struct Decimal: Equatable {
        /// Where it is, as a JSON path: `$."prices"[2]`.
        let path: [UInt8]
        let digits: [UInt8]
        /// As a statement names it: `DECIMAL(4,2)`.
        let type: String
    }

    private static let quote = UInt8(ascii: "\"")
    private static let zero = UInt8(ascii: "0")
    private static let dot = UInt8(ascii: ".")

    /// Whether a document may hold such a number, also as CSV has it, with its quotes doubled; false is certain.
    ///
    /// HOT PATH: every document of a restore passes here.
    @inline(__always)
    static func mayHoldDecimals(_ text: UnsafeRawBufferPointer) -> Bool {
        // Fifteen digits are the same in a DOUBLE, but for zeros at their end.
        var (digits, decimals, last) = (0, -1, UInt8(0))
        for byte in text {
            if isDigit(byte) {
                digits += 1
                if decimals >= 0 { decimals += 1 }
                last = byte
                if digits > 15 { return true }
            } else if byte == dot, digits > 0 {
                decimals = 0
            } else {
                if decimals > 1, last == zero { return true }
                (digits, decimals) = (0, -1)
            }
        }
        return decimals > 1 && last == zero
    }

    /// Whether a document holds such a number.
    static func holdsDecimals(_ text: [UInt8]) -> Bool {
        var isFound = false
        forEachDecimal(in: text) { _ in
            isFound = true
            return false
        }
        return isFound
    }

    /// Hands over one after another, in the order of the document, until `take` wants no more.
    ///
    /// A document has no two members of one name.
    static func forEachDecimal(in text: [UInt8], _ take: (Decimal) -> Bool) {
        var places: [Place] = []
        var offset = 0
        while offset < text.count {
            let start = offset
            offset += 1
            switch text[start] {
            case quote:
                while offset < text.count, text[offset] != quote {
                    offset += text[offset] == UInt8(ascii: "\\") ? 2 : 1
                }
                offset = min(offset + 1, text.count)
                if case .member(nil) = places.last {
                    places[places.count - 1] = .member(text[start..<offset])
                }
            case UInt8(ascii: "{"): places.append(.member(nil))
            case UInt8(ascii: "["): places.append(.element(0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = places.popLast()
            case UInt8(ascii: ","):
                switch places.popLast() {
                case .member: places.append(.member(nil))
                case .element(let index): places.append(.element(index + 1))
                case nil: break
                }
            case UInt8(ascii: "-"), zero...UInt8(ascii: "9"):
                while offset < text.count, isPartOfNumber(text[offset]) { offset += 1 }
                guard let type = type(ofDecimal: text[start..<offset]) else { continue }
                let decimal = Decimal(
                    path: path(to: places), digits: Array(text[start..<offset]), type: type)
                guard take(decimal) else { return }
            default: break
            }
        }
    }

    /// Where something is in what holds it.
    private enum Place {
        /// The member's name with its quotes, as it stands; nil before it.
        case member(ArraySlice<UInt8>?)
        case element(Int)
    }

    private static func path(to places: [Place]) -> [UInt8] {
        places.reduce(into: [UInt8(ascii: "$")]) { path, place in
            switch place {
            case .member(let name): path += [dot] + (name ?? [])
            case .element(let index): path += "[\(index)]".utf8
            }
        }
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        isDigit(byte)
            || [dot, UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+")].contains(byte)
            || byte == UInt8(ascii: "-")
    }

    // MARK: One number

    /// What it must have been; nil for what is read as it stands.
    private static func type(ofDecimal number: ArraySlice<UInt8>) -> String? {
        let parts = number.drop { $0 == UInt8(ascii: "-") }
            .split(separator: dot, maxSplits: 1, omittingEmptySubsequences: false)
        // With an exponent it is a DOUBLE; more digits no DECIMAL has.
        guard parts.allSatisfy({ $0.allSatisfy(isDigit) }) else { return nil }
        let (whole, decimals) = (parts[0].count, parts.count > 1 ? parts[1].count : 0)
        guard whole + decimals <= 65, decimals <= 30 else { return nil }
        let text = String(decoding: number, as: UTF8.self)
        let isInteger = decimals == 0 && (Int64(text) != nil || UInt64(text) != nil)
        guard !isInteger, let double = Double(text), number != shown(double)[...] else {
            return nil
        }
        return "DECIMAL(\(whole + decimals),\(decimals))"
    }

    /// As the server shows it in a document: a whole number without an exponent has a decimal.
    private static func shown(_ number: Double) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
            guard let start = room.baseAddress else { return [] }
            var writer = MySQLFieldWriter(start)
            writer.append(number)
            let count = writer.position - start
            let text = Array(room[..<count])
            let isWhole = text.allSatisfy { isDigit($0) || $0 == UInt8(ascii: "-") }
            return isWhole ? text + [dot, zero] : text
        }
    }
}
