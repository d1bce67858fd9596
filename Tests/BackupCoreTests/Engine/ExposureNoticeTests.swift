import Testing

@testable import BackupCore

@Suite struct ExposureNoticeTests {
    @Test func `what others can read is said once, to whoever listens first`() {
        let heard = Exclusive<[String]>([])
        func listen(_ name: String, _ notice: ExposureNotice) -> ExposureNotice {
            notice.heard { text in heard.withValue { $0.append("\(name): \(text)") } }
        }
        let notice = ExposureNotice()
        notice.say("nobody listens")
        let copy = listen("first", notice)
        copy.say("here")
        copy.say("again")
        listen("second", notice).say("there")
        notice.say("nobody listens")
        #expect(heard.withValue { $0 } == ["first: here"])
        listen("other", ExposureNotice()).say("elsewhere")
        #expect(heard.withValue { $0 } == ["first: here", "other: elsewhere"])
    }
}
