import BackupTesting
import Foundation
import Testing

@testable import MySQLEngine

/// The fields of CSV records, against plain ways to write the same.
@Suite struct MySQLFieldWriterTests {
    /// What is written, where room holds other bytes before.
    private func written(
        room: Int = 64, _ write: (inout MySQLFieldWriter) -> Void
    ) throws -> String {
        var bytes = [UInt8](repeating: 0xFF, count: room)
        let count = try bytes.withUnsafeMutableBytes { room in
            let start = try #require(room.baseAddress)
            var writer = MySQLFieldWriter(start)
            write(&writer)
            return writer.position - UnsafeMutableRawPointer(start)
        }
        #expect(count <= room)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test func `whole numbers of every length`() throws {
        for power in 0..<20 {
            let round = (0..<power).reduce(UInt64(1)) { number, _ in number * 10 }
            for number in [round - 1, round, round + 1, round / 9 * 8] {
                #expect(try written { $0.append(number) } == String(number))
                let signed = Int64(truncatingIfNeeded: number)
                #expect(try written { $0.append(signed) } == String(signed))
            }
        }
        for number in [Int64.min, -1, .max] {
            #expect(try written { $0.append(number) } == String(number))
        }
        #expect(try written { $0.append(UInt64.max) } == String(UInt64.max))
        #expect(
            try [0, 7, 1901, 2155].map { y in try written { $0.append(year: y) } }
                == ["0000", "0007", "1901", "2155"])
    }

    @Test func `times of the server's form`() throws {
        func date(_ bytes: [UInt8], _ decimals: Int, hasTime: Bool = true) throws -> String {
            try written { writer in
                (bytes + [0]).withUnsafeBytes { bytes in
                    guard let start = bytes.baseAddress else { return }
                    writer.append(
                        date: start, length: bytes.count - 1, hasTime: hasTime, decimals: decimals)
                }
            }
        }
        let full: [UInt8] = [0xE8, 0x07, 2, 29, 23, 59, 58, 0x3F, 0x42, 0x0F, 0]
        #expect(try date(full, 6) == "2024-02-29 23:59:58.999999")
        #expect(try date(full, 3) == "2024-02-29 23:59:58.999")
        #expect(try date(Array(full.prefix(7)), 0) == "2024-02-29 23:59:58")
        #expect(try date(Array(full.prefix(4)), 2) == "2024-02-29 00:00:00.00")
        #expect(try date(Array(full.prefix(4)), 0, hasTime: false) == "2024-02-29")
        #expect(try date([], 0) == "0000-00-00 00:00:00")
        func time(_ bytes: [UInt8], _ decimals: Int) throws -> String {
            try written { writer in
                (bytes + [0]).withUnsafeBytes { bytes in
                    guard let start = bytes.baseAddress else { return }
                    writer.append(time: start, length: bytes.count - 1, decimals: decimals)
                }
            }
        }
        #expect(try time([1, 34, 0, 0, 0, 22, 59, 59, 1, 0, 0, 0], 6) == "-838:59:59.000001")
        #expect(try time([0, 0, 0, 0, 0, 9, 8, 7], 0) == "09:08:07")
        #expect(try time([], 1) == "00:00:00.0")
    }

    /// The least digits that are read as the number, and how many of them are before the point.
    private func shortest(_ number: Double) throws -> (digits: String, point: Int) {
        for precision in 0...16 {
            let text = String(format: "%.\(precision)e", number)
            guard Double(text) == number else { continue }
            let parts = text.split(separator: "e")
            var digits = parts[0].filter(\.isNumber)
            while digits.count > 1, digits.last == "0" { digits.removeLast() }
            return (digits, try #require(Int(parts[1])) + 1)
        }
        throw DeliberateFailure()
    }

    @Test func `a floating point number has the least digits that are it`() throws {
        var numbers: [Double] = [
            0, 0.1, 0.001, 0.001.nextDown, 0.0001, 1e-14, 1e-15, 1e-16, .leastNonzeroMagnitude,
            1e15, 1e15.nextDown,
            1e15 + 0.5, 1e16, 9_007_199_254_740_992, 1.5e300, .greatestFiniteMagnitude,
            999_999_999_999_999.9, 100.25, 1200, Double(Float(0.1)),
        ]
        var random = SeededGenerator(seed: SeededGenerator.seeds(count: 1)[0])
        for _ in 0..<3000 {
            let anything = Double(bitPattern: random.next())
            if anything.isFinite { numbers.append(anything) }
            numbers.append(Double(Int64.random(in: 0...1_000_000_000, using: &random)) / 100)
            numbers.append(Double.random(in: 0...1e6, using: &random) / 7)
        }
        for number in numbers.flatMap({ [$0, -$0] }) {
            let (digits, point) = try shortest(number.magnitude)
            let text: String =
                switch point {
                case _ where number == 0: "0"
                case -14...0: "0." + String(repeating: "0", count: -point) + digits
                case 1... where digits.count > point:
                    "\(digits.prefix(point)).\(digits.dropFirst(point))"
                case 1...15: digits + String(repeating: "0", count: point - digits.count)
                default:
                    "\(digits.prefix(1))\(digits.count > 1 ? "." : "")\(digits.dropFirst())e\(point - 1)"
                }
            let sign = number.sign == .minus ? "-" : ""
            #expect(try written { $0.append(number) } == sign + text)
        }
    }

    @Test func `a text is quoted where CSV must, and its quotes are doubled`() throws {
        for seed in SeededGenerator.seeds(count: 2000) {
            var random = SeededGenerator(seed: seed)
            let bytes = Array(random.text(maximumLength: 40).utf8)
            // A text that looks like bytes is shown as bytes.
            guard !bytes.starts(with: #"\x"#.utf8) else { continue }
            let isSpecial = bytes.isEmpty || bytes.contains { Array("\",\n\r".utf8).contains($0) }
            let doubled = bytes.flatMap { $0 == UInt8(ascii: "\"") ? [$0, $0] : [$0] }
            let content = String(decoding: doubled, as: UTF8.self)
            // What it takes at most is enough.
            let most = bytes.withUnsafeBytes { MySQLFieldWriter.byteCount(ofText: $0, as: .utf8) }
            let field = try written(room: most) { writer in
                bytes.withUnsafeBytes { writer.append(text: $0, isAlone: false, as: .utf8) }
            }
            #expect(field == (isSpecial ? "\"\(content)\"" : content), "seed \(seed)")
        }
    }
}
