import Terminal
import Testing

@Suite struct NumberTextTests {
    @Test(arguments: [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"),
        (-1, "-1"), (-1000, "-1,000"), (Int.max, "9,223,372,036,854,775,807"),
        (Int.min, "-9,223,372,036,854,775,808"),
    ])
    func `digits are grouped by three`(number: Int, text: String) {
        #expect(NumberText.grouped(number) == text)
    }

    @Test(arguments: [
        (0, "0.0 s"), (0.04, "0.0 s"), (0.05, "0.1 s"), (0.44, "0.4 s"), (9.94, "9.9 s"),
        (9.96, "10 s"), (12.3, "12 s"), (119.4, "119 s"), (119.6, "2 min 0 s"), (200, "3 min 20 s"),
        (3600, "60 min 0 s"), (7199.4, "119 min 59 s"), (7199.6, "2 h 0 min"), (7200, "2 h 0 min"),
        (7500, "2 h 5 min"), (90_000, "25 h 0 min"),
    ])
    func `a duration is as exact as people need it`(seconds: Double, text: String) {
        #expect(NumberText.duration(seconds: seconds) == text)
    }

    @Test(arguments: [
        (-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (119.9, "119 s"), (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"), (172_799, "47 h"), (172_800, "2 d"), (63_071_999, "729 d"),
        (63_072_000, "2 y"),
    ])
    func `an age has one unit`(seconds: Double, text: String) {
        #expect(NumberText.age(seconds: seconds) == text)
    }
}
