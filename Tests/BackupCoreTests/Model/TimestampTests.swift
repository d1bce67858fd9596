import BackupCore
import BackupTesting
import Foundation
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("2025-01-01T12:00:00+00:00", 1_735_732_800), ("2025-01-01T12:00:00Z", 1_735_732_800),
        ("2025-01-01T12:00:00", 1_735_732_800), ("2025-01-01 12:00:00", 1_735_732_800),
        ("2025-01-01 12:00", 1_735_732_800), ("2025-01-01", 1_735_689_600),
        ("2025-01-01T14:00:00+02:00", 1_735_732_800), ("2025-01-01T17:45:00+05:45", 1_735_732_800),
        ("2025-01-01T17:45:00+0545", 1_735_732_800), ("2025-01-01T07:00:00-05", 1_735_732_800),
        ("2025-01-01 08:30:00 -03:30", 1_735_732_800), ("2025-01-01T12:00:00.5Z", 1_735_732_800.5),
        ("2025-01-01T12:00:00.123456+00:00", 1_735_732_800.123456),
        ("2024-02-29T00:00:00Z", 1_709_164_800), ("1969-12-31T23:59:59Z", -1),
    ])
    func `ISO 8601 is read`(text: String, seconds: Double) throws {
        let found = try #require(Timestamp(text)).date.timeIntervalSince1970
        #expect(abs(found - seconds) < 0.000_001)
    }

    @Test(arguments: [
        "", "now", "latest", "2025", "2025-01", "2025-13-01", "2025-02-29", "2025-00-10",
        "2025-01-32",
        "2025-01-01T24:00:00", "2025-01-01T12:60:00", "2025-01-01T12:00:61", "2025-01-01T12",
        "2025-01-01T12:00:00.", "2025-01-01T12:00:00+2", "2025-01-01T12:00:00+02:00:00",
        "2025-01-01T12:00:00+25:00", "2025-01-01T12:00:00+02:99", "2025-1-1", "20250101",
        "20250101_120000",
        "x2025-01-01", "2025-01-01x", "٢٠٢٥-01-01", "a1b2",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `a time is written in UTC, with a fraction only where there is one`() {
        #expect(
            Timestamp(Date(timeIntervalSince1970: 1_735_732_800)).text
                == "2025-01-01T12:00:00+00:00")
        #expect(
            Timestamp(Date(timeIntervalSince1970: 1_735_732_800.25)).text
                == "2025-01-01T12:00:00.250000+00:00")
        #expect(
            Timestamp(Date(timeIntervalSince1970: -0.5)).text
                == "1969-12-31T23:59:59.500000+00:00")
        #expect(Timestamp(Date(timeIntervalSince1970: 1_735_732_800)).compact == "20250101_120000")
        #expect(
            Timestamp(Date(timeIntervalSince1970: 1_735_732_800)).forPeople
                == "2025-01-01 12:00:00")
    }

    @Test func `a time is read back to the microsecond`() throws {
        for seed in SeededGenerator.seeds(count: 300) {
            var random = SeededGenerator(seed: seed)
            let micros = Int.random(
                in: -2_000_000_000_000_000...4_000_000_000_000_000, using: &random)
            let time = Timestamp(Date(timeIntervalSince1970: Double(micros) / 1_000_000))
            let back = try #require(Timestamp(time.text), "seed \(seed)")
            #expect(back.text == time.text, "seed \(seed)")
            #expect(abs(back.date.timeIntervalSince(time.date)) < 0.000_002, "seed \(seed)")
        }
    }

    @Test func `JSON holds a time as its text`() throws {
        let time = try #require(Timestamp("2025-01-01T12:00:00.5Z"))
        let data = try JSONEncoder().encode([time])
        #expect(String(decoding: data, as: UTF8.self) == "[\"2025-01-01T12:00:00.500000+00:00\"]")
        #expect(try JSONDecoder().decode([Timestamp].self, from: data) == [time])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Timestamp].self, from: Data("[\"soon\"]".utf8))
        }
    }
}
