import Synchronization
import Terminal
import Testing

@Suite struct ProgressLineTests {
    /// A place whose width and clock a test sets.
    private final class FakePlace: Sendable {
        let state = Mutex<(width: Int?, seconds: Double, text: String)>((nil, 0, ""))

        var place: ProgressLine.Place {
            .init(
                width: { self.state.withLock { $0.width } },
                seconds: { self.state.withLock { $0.seconds } },
                write: { text in self.state.withLock { $0.text += text } })
        }

        func set(width: Int?) { state.withLock { $0.width = width } }
        func set(seconds: Double) { state.withLock { $0.seconds = seconds } }

        /// What was written since the last time.
        func written() -> String {
            state.withLock { state in
                defer { state.text = "" }
                return state.text
            }
        }
    }

    @Test func `an hour of work is two lines a minute where nothing can be redrawn`() {
        let fake = FakePlace()
        let line = ProgressLine(in: fake.place)
        line.begin(phase: "reading rows")
        #expect(fake.written() == "reading rows …\n")
        for tick in 1...18_000 {
            fake.set(seconds: Double(tick) * 0.2)
            line.show(phase: "reading rows", details: ["\(tick) B", "x"])
        }
        line.end()
        let lines = fake.written().split(separator: "\n")
        #expect(lines.count == 120)
        #expect(lines[0] == "reading rows: 150 B · x")
    }

    @Test func `a phase that begins makes the next line wait`() {
        let fake = FakePlace()
        let line = ProgressLine(in: fake.place)
        fake.set(seconds: 29)
        line.begin(phase: "second")
        fake.set(seconds: 31)
        line.show(phase: "second", details: [])
        #expect(fake.written() == "second …\n")
    }

    @Test(arguments: [
        (80, "reading rows  43 % · 1.2 GB of about 2.8 GB · 85.0 MB/s"),
        (60, "reading rows  43 % · 1.2 GB of about 2.8 GB · 85.0 MB/s"),
        (56, "reading rows  43 % · 1.2 GB of about 2.8 GB · 85.0 MB/s"),
        (55, "reading rows  43 % · 1.2 GB of about 2.8 GB"), (20, "reading rows  43 %"),
        (19, "reading rows  43 %"), (18, "reading rows"), (8, "reading"), (1, ""),
    ])
    func `a line is never wider than the terminal, and loses the least important first`(
        width: Int, text: String
    ) {
        let fake = FakePlace()
        fake.set(width: width)
        ProgressLine(in: fake.place).show(
            phase: "reading rows", details: ["43 %", "1.2 GB of about 2.8 GB", "85.0 MB/s"])
        #expect(fake.written() == (text.isEmpty ? "" : "\r\u{1B}[K\(text)"))
    }

    @Test(arguments: [
        (80, "phase  1 of 2 · reading 3 % · public.orders_person"),
        (51, "phase  1 of 2 · reading 3 % · public.orders_person"),
        (50, "phase  1 of 2 · reading 3 % · public.orders_pers…"),
        (39, "phase  1 of 2 · reading 3 % · public.…"),
        (38, "phase  1 of 2 · reading 3 %"), (28, "phase  1 of 2 · reading 3 %"),
        (27, "phase  1 of 2"), (8, "phase"),
    ])
    func `what is worked on gets the room that is left`(width: Int, text: String) {
        let fake = FakePlace()
        fake.set(width: width)
        ProgressLine(in: fake.place).show(
            phase: "phase", details: ["1 of 2", "reading 3 %"], subject: "public.orders_person")
        #expect(fake.written() == "\r\u{1B}[K\(text)")
    }

    @Test func `a plain line names all of what is worked on`() {
        let fake = FakePlace()
        fake.set(seconds: 31)
        ProgressLine(in: fake.place).show(phase: "phase", details: ["1 of 2"], subject: "a.b")
        #expect(fake.written() == "phase: 1 of 2 · a.b\n")
    }

    @Test func `a line is drawn again when the terminal's width changes`() {
        let fake = FakePlace()
        fake.set(width: 40)
        let line = ProgressLine(in: fake.place)
        line.show(phase: "phase", details: ["one", "two"])
        line.show(phase: "phase", details: ["one", "two"])
        #expect(fake.written() == "\r\u{1B}[Kphase  one · two")
        fake.set(width: 12)
        line.show(phase: "phase", details: ["one", "two"])
        #expect(fake.written() == "\r\u{1B}[Kphase  one")
    }

    @Test func `a line that was cleared is drawn again`() {
        let fake = FakePlace()
        fake.set(width: 40)
        let line = ProgressLine(in: fake.place)
        line.show(phase: "phase", details: [])
        line.clear()
        line.clear()
        line.show(phase: "phase", details: [])
        #expect(fake.written() == "\r\u{1B}[Kphase\r\u{1B}[K\r\u{1B}[Kphase")
    }

    @Test func `nothing is drawn any more when the line has ended`() {
        let fake = FakePlace()
        fake.set(width: 40)
        let line = ProgressLine(in: fake.place)
        line.show(phase: "phase", details: [])
        line.end()
        line.show(phase: "phase", details: ["more"])
        line.print("a note")
        line.end()
        #expect(fake.written() == "\r\u{1B}[Kphase\r\u{1B}[Ka note\n")
    }

    @Test func `a note stands above the line, which goes on below it`() {
        let fake = FakePlace()
        fake.set(width: 40)
        let line = ProgressLine(in: fake.place)
        line.show(phase: "phase", details: [])
        line.print("a note")
        line.show(phase: "phase", details: [])
        line.end()
        #expect(
            fake.written()
                == "\r\u{1B}[Kphase\r\u{1B}[Ka note\n\r\u{1B}[Kphase\r\u{1B}[K")
    }
}
