#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Writes the fields of CSV records where there is room, as the server itself would write them as text.
///
/// HOT PATH: every value of a backup passes here.
struct MySQLFieldWriter {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let backslash = UInt8(ascii: "\\")
    private static let minus = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")
    private static let dot = UInt8(ascii: ".")
    private static let exponent = UInt8(ascii: "e")
    private static let hexDigits = StaticString("0123456789abcdef")
    private static let utcOffset = StaticString("+00:00")

    /// Where the next byte goes.
    private(set) var position: UnsafeMutableRawPointer

    init(_ position: UnsafeMutableRawPointer) { self.position = position }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        position.storeBytes(of: byte, as: UInt8.self)
        position += 1
    }

    @inline(__always)
    mutating func append(_ field: UnsafeRawBufferPointer) {
        guard let start = field.baseAddress else { return }
        memcpy(position, start, field.count)
        position += field.count
    }

    // MARK: Numbers

    @inline(__always)
    mutating func append(_ number: Int64) {
        if number < 0 { append(Self.minus) }
        append(number.magnitude)
    }

    @inline(__always)
    mutating func append(_ number: UInt64) {
        var (count, rest) = (1, number)
        while rest >= 100 {
            count += 2
            rest /= 100
        }
        append(number, digits: rest < 10 ? count : count + 1)
    }

    /// With zeros in front, so that there are so many digits; two at a time, from behind.
    @inline(__always)
    private mutating func append(_ number: UInt64, digits count: Int) {
        var (rest, offset) = (number, count)
        while offset >= 2 {
            offset -= 2
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            let (tens, ones) = pair.quotientAndRemainder(dividingBy: 10)
            position.storeBytes(of: Self.digit(tens), toByteOffset: offset, as: UInt8.self)
            position.storeBytes(of: Self.digit(ones), toByteOffset: offset + 1, as: UInt8.self)
            rest = quotient
        }
        if offset == 1 { position.storeBytes(of: Self.digit(rest % 10), as: UInt8.self) }
        position += count
    }

    @inline(__always)
    private static func digit(_ value: UInt64) -> UInt8 { zero + UInt8(truncatingIfNeeded: value) }

    mutating func append(year: UInt16) { append(UInt64(year), digits: 4) }

    /// The least digits that are read as the same number; with an exponent where it is whole
    /// from 1e15 on, and below 1e-15.
    mutating func append(_ number: Double) {
        let whole = Int64(exactly: number)
        if let whole, whole.magnitude < 1_000_000_000_000_000, whole != 0 || number.sign == .plus {
            return append(whole)
        }
        // As Swift writes it: -1.25e-07, or 125.5, or 1e+16.
        var text = number.description
        // A fraction of such a size has no exponent there either, and no zero at its end.
        if (0.001..<1e15).contains(number.magnitude), whole == nil {
            return text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
        }
        text.withUTF8 { text in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count) { digits in
                var (count, point, isFraction) = (0, 0, false)
                scan: for (offset, byte) in text.enumerated() {
                    switch byte {
                    case Self.minus: append(byte)
                    case Self.dot: isFraction = true
                    case Self.exponent:
                        point += Int(String(decoding: text[(offset + 1)...], as: UTF8.self)) ?? 0
                        break scan
                    case Self.zero where count == 0: point -= isFraction ? 1 : 0
                    default:
                        digits[count] = byte
                        count += 1
                        point += isFraction ? 0 : 1
                    }
                }
                while count > 1, digits[count - 1] == Self.zero { count -= 1 }
                append(digits: UnsafeBufferPointer(rebasing: digits[..<count]), point: point)
            }
        }
    }

    /// Digits without zeros around them, and the point behind so many of them.
    private mutating func append(digits: UnsafeBufferPointer<UInt8>, point: Int) {
        let count = digits.count
        func all(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: digits))
        }
        switch point {
        case _ where count == 0: append(Self.zero)
        case -14...0:
            append(Self.zero)
            append(Self.dot)
            for _ in point..<0 { append(Self.zero) }
            append(all(digits[...]))
        case 1... where point <= 15 || count > point:
            append(all(digits[..<min(point, count)]))
            for _ in min(point, count)..<point { append(Self.zero) }
            guard count > point else { return }
            append(Self.dot)
            append(all(digits[point...]))
        default:
            append(digits[0])
            if count > 1 {
                append(Self.dot)
                append(all(digits[1...]))
            }
            append(Self.exponent)
            append(Int64(point - 1))
        }
    }

    // MARK: Times

    /// Of the server's form: nothing for zero, else year, month, day, and then maybe the time, and maybe
    /// microseconds.
    @inline(__always)
    mutating func append(date: UnsafeRawPointer, length: Int, hasTime: Bool, decimals: Int) {
        let isZero = length == 0
        append(UInt64(isZero ? 0 : date.loadUnaligned(as: UInt16.self)), digits: 4)
        append(Self.minus)
        append(UInt64(isZero ? 0 : date.load(fromByteOffset: 2, as: UInt8.self)), digits: 2)
        append(Self.minus)
        append(UInt64(isZero ? 0 : date.load(fromByteOffset: 3, as: UInt8.self)), digits: 2)
        guard hasTime else { return }
        append(UInt8(ascii: " "))
        let hour = length > 4 ? date.load(fromByteOffset: 4, as: UInt8.self) : 0
        append(UInt64(hour), digits: 2)
        appendMinutes(date + 5, isZero: length <= 4, hasFraction: length > 7, decimals)
    }

    /// Of the server's form: nothing for zero, else a sign, days, hours, minutes, seconds, and maybe
    /// microseconds.
    @inline(__always)
    mutating func append(time: UnsafeRawPointer, length: Int, decimals: Int) {
        let isZero = length == 0
        if !isZero, time.load(as: UInt8.self) != 0 { append(Self.minus) }
        let days = isZero ? 0 : UInt64(time.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        let hours =
            days * 24 + (isZero ? 0 : UInt64(time.load(fromByteOffset: 5, as: UInt8.self)))
        hours < 10 ? append(hours, digits: 2) : append(hours)
        appendMinutes(time + 6, isZero: isZero, hasFraction: length > 8, decimals)
    }

    /// Minutes, seconds and microseconds.
    @inline(__always)
    private mutating func appendMinutes(
        _ place: UnsafeRawPointer, isZero: Bool, hasFraction: Bool, _ decimals: Int
    ) {
        append(UInt8(ascii: ":"))
        append(UInt64(isZero ? 0 : place.load(as: UInt8.self)), digits: 2)
        append(UInt8(ascii: ":"))
        append(UInt64(isZero ? 0 : place.load(fromByteOffset: 1, as: UInt8.self)), digits: 2)
        guard decimals > 0 else { return }
        append(Self.dot)
        let fraction =
            hasFraction ? place.loadUnaligned(fromByteOffset: 2, as: UInt32.self) : 0
        append(UInt64(fraction), digits: 6)
        position -= 6 - decimals
    }

    @inline(__always)
    mutating func appendUTC() {
        append(UnsafeRawBufferPointer(start: Self.utcOffset.utf8Start, count: 6))
    }

    // MARK: Texts and bytes

    @inline(__always)
    mutating func append(text: UnsafeRawBufferPointer, isAlone: Bool, as kind: Text) {
        let (isSpecial, isASCII) = Self.look(at: text)
        guard !Self.isBytes(text, isASCII: isASCII, kind) else { return append(hex: text) }
        // A lone \. would end the data for readers that follow COPY's old protocol.
        let isEndMark = isAlone && text.elementsEqual("\\.".utf8)
        guard isSpecial || text.isEmpty || isEndMark else { return append(text) }
        append(Self.quote)
        append(doublingQuotesOf: text)
        append(Self.quote)
    }

    @inline(__always)
    private mutating func append(doublingQuotesOf text: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            // All eight: what stands behind a quote is written again.
            position.storeBytes(of: word, as: UInt64.self)
            let quotes = Self.places(of: Self.quote, in: word).littleEndian
            guard quotes != 0 else {
                position += 8
                offset += 8
                continue
            }
            let upToQuote = quotes.trailingZeroBitCount / 8 + 1
            position += upToQuote
            offset += upToQuote
            append(Self.quote)
        }
        for byte in text[offset...] {
            if byte == Self.quote { append(Self.quote) }
            append(byte)
        }
    }

    /// How many bytes a text takes at most.
    static func byteCount(ofText text: UnsafeRawBufferPointer, as kind: Text) -> Int {
        guard !isBytes(text, isASCII: look(at: text).isASCII, kind) else {
            return 2 * text.count + 2
        }
        return text.count + 2 + text.reduce(0) { $1 == quote ? $0 + 1 : $0 }
    }

    /// What a text may consist of.
    enum Text {
        case utf8, ascii
        /// Whatever the server has made of it.
        case coded
    }

    /// Whether what the server calls a text is shown as bytes: it is none, or would look like bytes.
    @inline(__always)
    private static func isBytes(
        _ text: UnsafeRawBufferPointer, isASCII: Bool, _ kind: Text
    ) -> Bool {
        if kind == .coded { return false }
        if !isASCII, kind == .ascii || !isText(text) { return true }
        return text.count > 1 && text[0] == backslash && text[1] == UInt8(ascii: "x")
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The highest bit of each byte that is this one, the first of them exactly; those behind it may be false.
    @inline(__always)
    private static func places(of byte: UInt8, in word: UInt64) -> UInt64 {
        // A byte that is zero after the exclusive or is the one looked for.
        let rest = word ^ (ones &* UInt64(byte))
        return (rest &- ones) & ~rest & highs
    }

    /// Whether CSV must quote it, and whether every byte is a character.
    @inline(__always)
    private static func look(
        at field: UnsafeRawBufferPointer
    ) -> (isSpecial: Bool, isASCII: Bool) {
        var (special, all) = (UInt64(0), UInt64(0))
        func look(at word: UInt64) {
            special |=
                places(of: quote, in: word) | places(of: comma, in: word)
                | places(of: 0x0A, in: word) | places(of: 0x0D, in: word)
            all |= word
        }
        var offset = 0
        while offset + 8 <= field.count {
            look(at: field.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        if offset > 0, offset < field.count {
            // Some bytes twice.
            look(at: field.loadUnaligned(fromByteOffset: field.count - 8, as: UInt64.self))
        } else {
            for byte in field[offset...] { look(at: UInt64(byte)) }
        }
        return (special != 0, all & highs == 0)
    }

    private static func isText(_ field: UnsafeRawBufferPointer) -> Bool {
        (try? UTF8Span(validating: field.bindMemory(to: UInt8.self).span)) != nil
    }

    @inline(__always)
    mutating func append(hex content: UnsafeRawBufferPointer) {
        append(Self.backslash)
        append(UInt8(ascii: "x"))
        let digits = Self.hexDigits.utf8Start
        for byte in content {
            append(digits[Int(byte >> 4)])
            append(digits[Int(byte & 15)])
        }
    }
}
