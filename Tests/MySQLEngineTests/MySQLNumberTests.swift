import CMariaDB
import Testing

@testable import MySQLEngine

/// Texts that are sent as the numbers that they are.
@Suite struct MySQLNumberTests {
    private func bits(_ text: String, _ number: MySQLNumber) -> UInt64? {
        Array(text.utf8).withUnsafeBytes { number.bits(of: $0) }
    }

    @Test func `whole numbers are themselves up to the least and the greatest`() {
        for number in [0, 1, -1, 42, Int64.max, .min, .max - 1, .min + 1] as [Int64] {
            #expect(bits("\(number)", .integer) == UInt64(bitPattern: number))
        }
        for number in [0, 7, UInt64.max, .max - 1] as [UInt64] {
            #expect(bits("\(number)", .unsigned) == number)
        }
    }

    @Test func `what is no such number stays a text`() {
        let texts = ["", "-", "1.5", " 1", "1 ", "+1", "0x10", "1e3", "--1", "NULL"]
        for text in texts + [
            "9223372036854775808", "-9223372036854775809", "184467440737095516160",
        ] {
            #expect(bits(text, .integer) == nil, "\(text)")
        }
        for text in texts + ["-1", "18446744073709551616"] {
            #expect(bits(text, .unsigned) == nil, "\(text)")
        }
        for text in ["", "a", "1,5", "1 ", "nan", "inf", "1e999"] {
            #expect(bits(text, .double) == nil, "\(text)")
        }
    }

    @Test func `floating point numbers keep every bit`() {
        var random = SystemRandomNumberGenerator()
        let special = [
            0, -0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 1 / 7,
            -1e22, 1e23,
        ]
        let others = (0..<1000).map { _ in Double(bitPattern: random.next()) }
        for number in special + others where number.isFinite {
            #expect(bits("\(number)", .double) == number.bitPattern, "\(number)")
        }
    }

    @Test(arguments: [
        ("int(11)", MySQLNumber.integer), ("bigint(20) unsigned", .unsigned),
        ("smallint(5) unsigned zerofill", .unsigned), ("tinyint(1)", .integer),
        ("double", .double), ("double(10,3)", .double), ("float", nil), ("decimal(10,2)", nil),
        ("year(4)", nil), ("datetime(6)", nil), ("enum('int','double')", nil), ("bit(8)", nil),
        ("text", nil), ("interval", nil),
    ])
    func `a column takes numbers by its type`(type: String, number: MySQLNumber?) {
        #expect(MySQLNumber(ofType: type) == number)
    }
}
