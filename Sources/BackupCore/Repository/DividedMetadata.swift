/// The text of a `metadata.json` in two: what it says of each table, and everything else.
///
/// Nearly all of it is about tables, and of most it says what the backup before has said, byte for byte: what has been
/// decoded once need not be decoded a thousand times.
struct DividedMetadata {
    /// The file with an empty list of tables.
    let rest: [UInt8]
    /// The objects of that list, in the file's order.
    let tables: [ArraySlice<UInt8>]

    /// Nil where the bytes are not so clearly divided: whoever reads them as a whole finds what is wrong with them.
    ///
    /// Whether the pieces are JSON is found by reading them.
    init?(_ bytes: [UInt8]) {
        var cursor = JSONCursor(bytes)
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        var list: (inside: Range<Int>, elements: [Range<Int>])?
        repeat {
            guard let key = cursor.string(), cursor.take(UInt8(ascii: ":")) else { return nil }
            // A name can be written in many ways; that of the list is known in one.
            guard !bytes[key].contains(UInt8(ascii: "\\")) else { return nil }
            if bytes[key].elementsEqual(Self.key) {
                guard list == nil, let found = cursor.objects() else { return nil }
                list = found
            } else {
                guard cursor.value() != nil else { return nil }
            }
        } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "}")), let list else { return nil }
        rest = Array(bytes[..<list.inside.lowerBound] + bytes[list.inside.upperBound...])
        tables = list.elements.map { bytes[$0] }
    }

    /// How many bytes of it are decoded at once.
    var largestPieceBytes: Int { max(rest.count, tables.map(\.count).max() ?? 0) }

    private static let key = Array("\"tables\"".utf8)
    /// More than a server can hold.
    fileprivate static let mostTables = 1 << 20
}

/// A place in the text of a JSON document, which finds where values end without reading them.
private struct JSONCursor {
    private let bytes: [UInt8]
    private var place = 0

    private static let space: [UInt8] = Array(" \n\r\t".utf8)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = current, Self.space.contains(byte) { place += 1 }
    }

    /// Goes behind a byte and the space before it; false, and no further than that space, where another one stands.
    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard current == byte else { return false }
        place += 1
        return true
    }

    /// Where a string is, quotes included.
    mutating func string() -> Range<Int>? {
        skipSpace()
        let start = place
        guard current == UInt8(ascii: "\"") else { return nil }
        place += 1
        while let byte = current {
            place += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return start..<place }
        }
        return nil
    }

    /// Where a value of any kind is.
    mutating func value() -> Range<Int>? {
        skipSpace()
        let start = place
        var depth = 0
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                guard string() != nil else { return nil }
                if depth == 0 { return start..<place }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // No backup says anything so deep inside something else; a decoder has its own idea of too deep.
                guard depth < 64 else { return nil }
                depth += 1
                place += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // What holds this value, which is a number or a word, ends.
                guard depth > 0 else { return start < place ? start..<place : nil }
                depth -= 1
                place += 1
                if depth == 0 { return start..<place }
            case UInt8(ascii: ",") where depth == 0:
                return start < place ? start..<place : nil
            default:
                place += 1
            }
        }
        return nil
    }

    /// What stands between the brackets of a list of nothing but objects, and where each of these is.
    mutating func objects() -> (inside: Range<Int>, elements: [Range<Int>])? {
        guard take(UInt8(ascii: "[")) else { return nil }
        let start = place
        var elements: [Range<Int>] = []
        if !take(UInt8(ascii: "]")) {
            repeat {
                skipSpace()
                // Millions of empty objects would take far more memory than they have bytes.
                guard current == UInt8(ascii: "{"), let element = value(),
                    elements.count < DividedMetadata.mostTables
                else { return nil }
                elements.append(element)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { return nil }
        }
        return (start..<(place - 1), elements)
    }
}
