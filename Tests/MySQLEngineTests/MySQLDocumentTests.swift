import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Numbers of JSON documents that a text of them does not hold.
@Suite struct MySQLDocumentTests {
    @Test(arguments: [
        "{}", "[]", "null", "\"1.10\"", "5", "-5", "5.0", "-0.0", "0.5", "[1, 2.5, -3.25]", "1e15",
        "1.5e-20",
        "0.000000000000001", "18446744073709551615", "-9223372036854775808", "123456789012345.6",
        "0.30000000000000004", "[\"a\\\"1.10\", \"\\\\\"]", "{\"1.10\": 1}",
        "1.7976931348623157e308",
        // No DECIMAL has so many digits.
        "0.\(String(repeating: "1", count: 31))", String(repeating: "9", count: 66),
    ])
    func `what is read as it stands is left alone`(text: String) {
        #expect(MySQLDocument.decimals(in: Array(text.utf8)).isEmpty)
    }

    @Test(arguments: [
        ("1.10", "$", "1.10", "DECIMAL(3,2)"), ("0.00", "$", "0.00", "DECIMAL(3,2)"),
        ("-12.500", "$", "-12.500", "DECIMAL(5,3)"),
        ("18446744073709551616", "$", "18446744073709551616", "DECIMAL(20,0)"),
        ("1000000000000000.0", "$", "1000000000000000.0", "DECIMAL(17,1)"),
        ("0.1234567890123456789", "$", "0.1234567890123456789", "DECIMAL(20,19)"),
        ("[1, [2, 3.30]]", "$[1][1]", "3.30", "DECIMAL(3,2)"),
        (#"{"a": {}, "b \"c\\": [[], {"": 7.70}]}"#, #"$."b \"c\\"[1]."""#, "7.70", "DECIMAL(3,2)"),
        (#"{"a": "x, 1.10", "é": [true, null, 0.10]}"#, #"$."é"[2]"#, "0.10", "DECIMAL(3,2)"),
    ])
    func `what only a decimal is shown as is found with its place`(
        text: String, path: String, digits: String, type: String
    ) {
        let found = MySQLDocument.decimals(in: Array(text.utf8))
        #expect(
            found == [.init(path: Array(path.utf8), digits: Array(digits.utf8), type: type)])
        let mayHold = Array(text.utf8).withUnsafeBytes { MySQLDocument.mayHoldDecimals($0) }
        #expect(mayHold)
    }

    @Test(arguments: [
        "]", "}}", ",", "\"", "\"\\", "{\"a", "[1.10", "-", "1.1.1", "--1", "1.10.", ".",
    ])
    func `what is no document ends`(text: String) {
        _ = MySQLDocument.decimals(in: Array(text.utf8))
    }

    /// Whatever the server shows is found to be read as it stands, or is a decimal of these digits.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB })
    func `every number that a server shows is the same again`(server: MySQLTestServer) async throws
    {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        try await server.withDatabase { database in
            for _ in 0..<40 {
                let numbers = (0..<50).map { _ in Self.number(&random) }.joined(separator: ",")
                let shown = try await database.query("SELECT JSON_ARRAY(\(numbers))")
                let decimals = MySQLDocument.decimals(in: Array(shown.utf8))
                var question = "SELECT JSON_REPLACE('\(shown)'"
                for decimal in decimals {
                    let (path, digits) = (
                        String(decoding: decimal.path, as: UTF8.self),
                        String(decoding: decimal.digits, as: UTF8.self)
                    )
                    question += ", '\(path)', CAST('\(digits)' AS \(decimal.type))"
                }
                if decimals.isEmpty { question = "SELECT CAST('\(shown)' AS JSON" }
                #expect(try await database.query(question + ")") == shown, "seed \(seed)")
            }
        }
    }

    private static func number(_ random: inout SeededGenerator) -> String {
        let sign = Bool.random(using: &random) ? "-" : ""
        func digits(_ most: Int) -> String {
            String(
                (0..<Int.random(in: 1...most, using: &random)).map { _ in
                    Character("\(Int.random(in: 0...9, using: &random))")
                })
        }
        return switch Int.random(in: 0...3, using: &random) {
        case 0: "\(sign)\(digits(17)).\(digits(17))e\(Int.random(in: -300...280, using: &random))"
        case 1: "\(sign)\(digits(20)).\(digits(20))e0"
        case 2: "\(sign)\(digits(35)).\(digits(30))"
        default: "\(sign)\(digits(21))"
        }
    }
}

extension MySQLDocument {
    fileprivate static func decimals(in text: [UInt8]) -> [Decimal] {
        var found: [Decimal] = []
        forEachDecimal(in: text) { decimal in
            found.append(decimal)
            return true
        }
        #expect(holdsDecimals(text) == !found.isEmpty)
        return found
    }
}
