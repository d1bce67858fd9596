import Terminal
import Testing

@Suite struct RecentRateTests {
    @Test(arguments: [0.0, 1, 2.9])
    func `a rate is not known before three seconds`(seconds: Double) {
        var rate = RecentRate()
        #expect(rate.perSecond == nil)
        rate.note(0, at: 0)
        rate.note(1000, at: seconds)
        #expect(rate.perSecond == nil)
    }

    @Test func `a rate is that of the last ten seconds`() {
        var rate = RecentRate()
        var amount = 0
        for second in 0...60 {
            rate.note(amount, at: Double(second))
            amount += second < 30 ? 1000 : 50
        }
        #expect(rate.perSecond == 50)
    }

    @Test func `a rate falls to nothing when nothing comes, and says for how long`() {
        var rate = RecentRate()
        for second in 0...5 { rate.note(second * 10, at: Double(second)) }
        #expect(rate.perSecond == 10 && rate.idleSeconds == 0)
        for second in 6...20 { rate.note(50, at: Double(second)) }
        #expect(rate.perSecond == 0)
        #expect(rate.idleSeconds == 15)
    }

    @Test func `readings that come seldom are a rate too`() {
        var rate = RecentRate()
        rate.note(0, at: 0)
        rate.note(3000, at: 30)
        #expect(rate.perSecond == 100)
        rate.note(3600, at: 60)
        #expect(rate.perSecond == 20)
    }
}
