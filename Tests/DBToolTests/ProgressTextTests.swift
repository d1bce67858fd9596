import BackupCore
import Testing

@testable import DBTool

@Suite struct ProgressTextTests {
    private static let began = ContinuousClock.now

    private static func reading(
        _ megabytes: Double, of total: Double? = nil, rows: Int = 0
    ) -> OperationProgress.Reading {
        var reading = OperationProgress.Reading(
            phase: "p", totalBytes: total.map { Int($0 * 1e6) })
        reading.began = began
        reading.bytes = Int(megabytes * 1e6)
        reading.rows = rows
        return reading
    }

    /// What is said in the end, when the work was looked at once a second.
    private static func details(
        after seconds: Int, of total: Double?, _ megabytes: (Int) -> Double
    ) -> [String] {
        var text = ProgressText()
        return (0...seconds).reduce([]) { _, second in
            text.details(
                of: reading(megabytes(second), of: total), at: began + .seconds(second))
        }
    }

    @Test func `what is not known is not said`() {
        var text = ProgressText()
        #expect(text.details(of: Self.reading(0, of: 100), at: Self.began) == [])
        #expect(Self.details(after: 2, of: nil) { Double($0) } == ["2.0 MB", "2.0 s"])
        #expect(
            Self.details(after: 2, of: 100) { Double($0) } == [
                "2 %", "2.0 MB of about 100.0 MB", "2.0 s",
            ])
    }

    @Test func `time left follows from the rate of the last seconds`() {
        // 10 MB/s for a minute, then 1 MB/s: what is left takes long now.
        let details = Self.details(after: 90, of: 1000) {
            $0 <= 60 ? Double($0) * 10 : 600 + Double($0 - 60)
        }
        #expect(
            details == [
                "63 %", "630.0 MB of about 1.0 GB", "1.0 MB/s", "about 6 min 10 s left", "90 s",
            ])
    }

    @Test func `a total that was too small is not more than all`() {
        for total in [99.9, 100, 0] {
            #expect(
                Self.details(after: 10, of: total) { Double($0) * 10 } == [
                    "100.0 MB", "10.0 MB/s", "10 s",
                ])
        }
    }

    @Test func `it is never all, and never no time, while something is left`() {
        #expect(
            Self.details(after: 10, of: 100.000_001) { Double($0) * 10 } == [
                "99 %", "100.0 MB of about 100.0 MB", "10.0 MB/s", "a few seconds left", "10 s",
            ])
    }

    @Test func `a pause is said instead of a rate and a time`() {
        #expect(
            Self.details(after: 42, of: 100) { Double(min($0, 30)) } == [
                "30 %", "30.0 MB of about 100.0 MB", "nothing for 12 s", "42 s",
            ])
    }

    @Test func `a phase does not inherit the rate of the one before`() {
        var text = ProgressText()
        _ = text.details(of: Self.reading(0), at: Self.began)
        #expect(
            text.details(of: Self.reading(100), at: Self.began + .seconds(5)).contains("20.0 MB/s"))
        var next = Self.reading(1, rows: 1234)
        next.began = Self.began + .seconds(5)
        #expect(
            text.details(of: next, at: Self.began + .seconds(7)) == [
                "1.0 MB", "1,234 rows", "2.0 s",
            ])
    }

    private typealias Step = StepProgress.Step

    private static let index = "public.orders_person"

    private static let stepTexts: [(StepProgress, Double, [String])] = [
        (StepProgress(done: 0, total: 0), 0.4, []),
        (StepProgress(done: 12, total: 1040), 75, ["12 of 1,040", "75 s"]),
        (StepProgress(done: 12, total: 40, current: Step(index)), 9, ["12 of 40", "9.0 s"]),
        (
            StepProgress(done: 12, total: 40, current: Step(index, began: began + .seconds(6))), 9,
            ["12 of 40", "3.0 s"]
        ),
        (
            StepProgress(
                done: 12, total: 40,
                current: Step(index, activity: "reading rows", share: 0.437, began: began)), 9,
            ["12 of 40", "reading rows 43 %"]
        ),
        (
            StepProgress(
                done: 0, total: 1, current: Step(index, activity: "writing", share: 1)), 9,
            ["0 of 1", "writing 99 %"]
        ),
        (
            StepProgress(
                done: 0, total: 1, current: Step(index, activity: "writing", share: -0.1)), 9,
            ["0 of 1", "writing 0 %"]
        ),
        (
            StepProgress(
                done: 3, total: 7,
                current: Step(index, activity: "sorting", began: began + .seconds(70))), 200,
            ["3 of 7", "sorting, 2 min 10 s"]
        ),
        (
            StepProgress(
                done: 3, total: 7,
                current: Step(index, activity: "sorting", began: began + .seconds(199.8))), 200,
            ["3 of 7", "sorting"]
        ),
    ]

    @Test(arguments: stepTexts)
    func `steps are counted, and the one under way is told about`(
        steps: StepProgress, seconds: Double, details: [String]
    ) {
        var text = ProgressText()
        var reading = Self.reading(0)
        reading.steps = steps
        #expect(text.details(of: reading, at: Self.began + .seconds(seconds)) == details)
    }

    @Test func `a name is shown without commands to the terminal`() {
        var reading = Self.reading(0)
        #expect(ProgressText.subject(of: reading) == nil)
        reading.steps = StepProgress(done: 0, total: 1, current: Step("public.\u{1B}[2Jx\n"))
        #expect(ProgressText.subject(of: reading) == "public.\\u{1B}[2Jx\\n")
    }

    @Test(arguments: [
        (0, "a few seconds left"), (4.9, "a few seconds left"), (5, "about 5 s left"),
        (17.4, "about 15 s left"), (57, "about 55 s left"), (58, "about 60 s left"),
        (114, "about 110 s left"), (118, "about 2 min left"), (200, "about 3 min 20 s left"),
        (300.4, "about 5 min left"), (601, "about 10 min left"), (3600, "about 60 min left"),
        (7169, "about 119 min left"), (7200, "about 2 h left"), (10_000, "about 2 h 50 min left"),
        (90_000, "about 25 h left"), (172_800, "more than 2 d left"),
        (1e300, "more than 31 y left"),
    ])
    func `time left is as exact as an estimate is`(seconds: Double, text: String) {
        #expect(ProgressText.timeLeft(seconds: seconds) == text)
    }
}
