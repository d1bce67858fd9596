import Foundation
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A line as it was typed, or what of it is text.
struct InputLine {
    var text: String
    /// Why it must not be run: it would not be what was typed.
    var flaw: String?
    /// Whether somebody gave it up, and with it what it continues.
    var isGivenUp = false

    init(_ text: String) { self.text = text }

    /// One that was given up.
    static var givenUp: InputLine {
        var line = InputLine("")
        line.isGivenUp = true
        return line
    }

    /// `number`: Of the line, counted from 1, for whoever looks for it.
    init(_ bytes: some Collection<UInt8>, number: Int) {
        if let valid = String(validating: bytes, as: UTF8.self) {
            text = valid
        } else {
            text = String(decoding: bytes, as: UTF8.self)
            flaw = "line \(number) is not text in UTF-8"
        }
        if bytes.contains(0) { flaw = "line \(number) holds a zero byte" }
    }
}

/// The lines of standard input, each read by a thread of its own: whoever waits can be cancelled.
actor InputLines {
    private let input = LineReader()
    private var waiting: CheckedContinuation<InputLine?, Never>?

    /// The next line without its end; nil at the end of the input.
    ///
    /// - Throws: `CancellationError`.
    func next() async throws -> InputLine? {
        try Task.checkCancellation()
        let line = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting = continuation
                let input = input
                Thread.detachNewThread {
                    let line = input.next()
                    Task { await self.finish(line) }
                }
            }
        } onCancel: {
            Task { await self.finish(nil) }
        }
        try Task.checkCancellation()
        return line
    }

    private func finish(_ line: InputLine?) {
        waiting?.resume(returning: line)
        waiting = nil
    }
}

/// Reads standard input line by line, whatever bytes they are of.
private final class LineReader: Sendable {
    private struct State {
        var buffer: [UInt8] = []
        /// How much of it has been given out.
        var taken = 0
        var count = 0
        var isAtEnd = false
    }

    private let state = Mutex(State())

    /// The next line; waits for it.
    func next() -> InputLine? {
        state.withLock { state in
            var searched = state.taken
            while true {
                let newline = UInt8(ascii: "\n")
                if let end = state.buffer[searched...].firstIndex(of: newline) {
                    return Self.line(upTo: end, skipping: 1, &state)
                }
                searched = state.buffer.count
                if state.isAtEnd {
                    return searched > state.taken
                        ? Self.line(upTo: searched, skipping: 0, &state) : nil
                }
                state.isAtEnd = !Self.fill(&state)
            }
        }
    }

    private static func line(upTo end: Int, skipping: Int, _ state: inout State) -> InputLine {
        let bytes = state.buffer[state.taken..<end]
        state.count += 1
        let line = InputLine(bytes, number: state.count)
        state.taken = end + skipping
        if state.taken > 1 << 16 {
            state.buffer.removeFirst(state.taken)
            state.taken = 0
        }
        return line
    }

    /// False at the end of the input.
    private static func fill(_ state: inout State) -> Bool {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            state.buffer += piece.prefix(count)
            return true
        }
    }
}
