import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// How ranges are written down, read back, and asked for.
@Suite struct MySQLRangesTests {
    private static func column(
        _ name: String, _ kind: String, set: String? = nil, _ collation: String? = nil
    ) throws -> MySQLColumn {
        try MySQLColumn(
            [name, kind, kind, "1", "", set, "NO", collation],
            of: TableName(schema: "d", name: "t"))
    }

    private static func pair(version: String = "V", split: String) throws -> MySQLRanges {
        MySQLRanges(
            key: [
                try column("a`b", "int"), try column("n'", "varchar", set: "latin1", "latin1_bin"),
            ], bounds: 1...1000, version: version, split: split)
    }

    @Test func `borders are keys, and comparisons of pairs are taken apart`() throws {
        let ranges = try Self.pair(split: "")
        let split = "keys|V/number,latin1_bin|5,6120|7,|7,5C27"
        let name = "`n'` %@ _latin1 x'%' COLLATE latin1_bin"
        func text(_ sign: String, _ digits: String) -> String {
            name.replacing("%@", with: sign).replacing("%", with: digits)
        }
        #expect(
            ranges.conditions(split) == [
                ["(`a``b` < 5 OR (`a``b` = 5 AND \(text("<", "6120"))))"],
                [
                    "(`a``b` > 5 OR (`a``b` = 5 AND \(text(">=", "6120"))))",
                    "(`a``b` < 7 OR (`a``b` = 7 AND \(text("<", ""))))",
                ],
                ["`a``b` = 7", text(">=", ""), text("<", "5C27")],
                ["(`a``b` > 7 OR (`a``b` = 7 AND \(text(">=", "5C27"))))"],
            ])
        let borders = try #require(
            MySQLKeyBorders(
                split: split,
                of: MySQLRanges.ordered([
                    try Self.column("a`b", "int"),
                    try Self.column("n'", "varchar", set: "latin1", "latin1_bin"),
                ]),
                mark: "V/number,latin1_bin"))
        #expect(borders.split(mark: "V/number,latin1_bin") == split)
    }

    @Test(arguments: [
        "keys|V/number,latin1_bin|5) OR (1,61", "keys|V/number,latin1_bin|5,6x", "keys|V|5,61",
        "keys|V/number,latin1_bin|5", "keys|V/number,latin1_bin|--5,61",
        "keys|W/number,latin1_bin|5,61", "keys|V/number,utf8mb4_bin|5,61",
        "keys|V/number,latin1_bin",
        "", "1+", "x",
    ])
    func `what is not understood, or was in another order, divides nothing`(split: String) throws {
        let own = "keys|V/number,latin1_bin|5,61|6,62"
        #expect(try Self.pair(split: own).conditions(split) == [[]])
        #expect(try Self.pair(split: own).split(like: split) == own)
    }

    @Test
    func `a differential takes over the ranges of its parent, where their number is sensible`()
        throws
    {
        let mark = "keys|V/number,latin1_bin"
        let own = "\(mark)|5,61|6,62|7,63"
        #expect(try Self.pair(split: own).split(like: "\(mark)|5,60|6,62") == "\(mark)|5,60|6,62")
        #expect(try Self.pair(split: own).split(like: "1+250") == "1+250")
        #expect(try Self.pair(split: own).split(like: "1+5") == own)
        #expect(try Self.pair(split: "1+250").split(like: own) == own)
        #expect(try Self.pair(split: "1+250").split(like: "1+300") == "1+300")
        #expect(try Self.pair(split: "").split(like: own) == "")
        let many = (0..<40).map { "|\($0),61" }.joined()
        #expect(try Self.pair(split: own).split(like: mark + many) == own)
        #expect(
            try Self.pair(split: "").conditions("1+400") == [
                ["`a``b` < 401"], ["`a``b` >= 401", "`a``b` < 801"], ["`a``b` >= 801"],
            ])
    }

    @Test func `only what has an order that everybody agrees on is divided`() throws {
        for kind in ["enum", "set", "float", "double", "json", "bit", "point", "text", "blob"] {
            #expect(try Self.column("a", kind).order == nil, "\(kind)")
        }
        #expect(
            try Self.column("a", "char", set: "utf8mb4", "utf8mb4_nopad_bin").order == nil)
        #expect(
            try Self.column("a", "char", set: "utf8mb4", "utf8mb4_bin; DROP").order == nil)
        let key = [
            try Self.column("a", "year"), try Self.column("b", "enum"),
            try Self.column("c", "int"),
        ]
        #expect(MySQLRanges.ordered(key).map(\.name) == ["a"])
        #expect(MySQLRanges.ordered(Array(key.dropFirst())).isEmpty)
    }

    @Test func `a guess is between two values, as far as bytes have an order`() throws {
        for seed in SeededGenerator.seeds(count: 200) {
            var random = SeededGenerator(seed: seed)
            let width = Int.random(in: 1...9, using: &random)
            func value() -> String {
                (0..<width).map { _ in
                    let byte = UInt8.random(in: .min ... .max, using: &random)
                    return (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }.joined()
            }
            var letters = MySQLLetters(of: .bytes)
            for _ in 0..<30 { letters.insert(value()) }
            let (one, other) = (value(), value())
            let (low, high) = (min(one, other), max(one, other))
            guard low != high else { continue }
            let middle = try #require(letters.middle(low, high), "seed \(seed)")
            #expect(low <= middle && middle <= high, "seed \(seed): \(low) \(middle) \(high)")
        }
    }

    @Test func `the server is asked for the middle of numbers and times`() {
        let letters = MySQLLetters(of: .number)
        #expect(MySQLKeyOrder.number.middle("1", "4", letters) == "CEILING(1 / 2 + 4 / 2)")
        #expect(MySQLKeyOrder.number.middle("-1.5", "4.0", letters) == "(-1.5 / 2 + 4.0 / 2)")
        let uuid = MySQLKeyOrder.word(isUUID: true)
        #expect(
            uuid.middle(
                "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-800000000000",
                MySQLLetters(of: uuid))?.hasPrefix("'00000000") == true)
        #expect(MySQLKeyOrder.word(isUUID: false).middle("::1", "::3", letters) == nil)
    }
}
