import BackupCore
import Testing

@testable import MySQLEngine

/// What stands in CSV and is no text is decoded, or refused.
@Suite struct MySQLValueTests {
    private func decoded(_ text: String, _ coding: MySQLValue.Coding) throws -> [UInt8] {
        try Array(text.utf8).withUnsafeBytes { content in
            let value = MySQLValue(content: content, coding: coding)
            var room = [UInt8](repeating: 0, count: max(8, content.count))
            let count = try room.withUnsafeMutableBytes { try value.decode(into: $0) }
            var pieces: [UInt8] = []
            try value.decode(inPiecesOf: coding == .number ? 64 : 4) { pieces += $0 }
            #expect(pieces == Array(room[..<count]))
            return pieces
        }
    }

    @Test func `every byte comes back from its digits, large and small`() throws {
        let all = (0...255).map { UInt8($0) }
        let digits = all.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(try decoded(digits, .hex) == all)
        #expect(try decoded(digits.uppercased(), .hex) == all)
        #expect(try decoded("", .hex) == [])
    }

    @Test(arguments: ["g0", "0g", "0", "abc", "0x", " 0", "/0", ":0", "@0", "`0", "é", "00'--00"])
    func `what is no pair of digits is refused`(text: String) {
        #expect(throws: BackupError.self) { try decoded(text, .hex) }
        #expect(throws: BackupError.self) {
            try Array(text.utf8).withUnsafeBytes { try MySQLValue.bytes(ofHex: $0) }
        }
    }

    @Test func `a number of bits is its bytes, and nothing else is one`() throws {
        #expect(try decoded("0", .number) == [0])
        #expect(try decoded("256", .number) == [1, 0])
        #expect(try decoded("18446744073709551615", .number) == [UInt8](repeating: 255, count: 8))
        for text in ["", "-1", "1 OR 1", "0x1", "1.5"] {
            #expect(throws: BackupError.self) { try decoded(text, .number) }
        }
    }

    @Test func `doubled quotes are single ones`() throws {
        #expect(try decoded("a\"\"b\"\"\"\"", .quoted) == Array("a\"b\"\"".utf8))
    }
}
