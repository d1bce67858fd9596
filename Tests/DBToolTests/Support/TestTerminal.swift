import BackupCore
import BackupTesting
import Foundation
import Synchronization

/// A terminal that a program runs on, and the keys that somebody presses when it is their turn.
///
/// What is typed before a program asks for it is not what a person does: the terminal itself takes it then, which knows nothing of
/// completion, and some questions throw it away.
final class TestTerminal: Sendable {
    private let place: String
    private let keys: Int32
    /// How many bytes of the screen were there when keys were pressed last.
    private let seen = Mutex(0)

    fileprivate init(in place: String) throws {
        guard mkfifo("\(place)/keys", 0o600) == 0 else {
            throw ProgramFailure("no pipe for keys in \(place)")
        }
        self.place = place
        // Open for both: nobody waits for the other to come, and the program sees no end before this is gone.
        keys = open("\(place)/keys", O_RDWR | O_CLOEXEC)
        guard keys >= 0 else { throw ProgramFailure("no keys in \(place)") }
    }

    deinit { close(keys) }

    /// Presses keys now.
    func press(_ text: String) throws {
        let count = try screen().count
        seen.withLock { $0 = count }
        let bytes = Array(text.utf8)
        guard write(keys, bytes, bytes.count) == bytes.count else {
            throw ProgramFailure("keys that nobody takes: \(text.debugDescription)")
        }
    }

    /// Presses keys where a line is being edited behind a prompt, which is not the one that keys were pressed at before.
    func press(_ text: String, behind prompt: String) async throws {
        try await untilEditing(behind: prompt)
        try press(text)
    }

    /// Types a text and completes its last word, as soon as there is one that it could be.
    ///
    /// Where the editor knows none it beeps, or shows the line as it was.
    func complete(_ text: String) async throws {
        try press(text)
        try await eventually("\(text) is shown") {
            try Self.text(shown()).hasSuffix(text.suffix(3))
        }
        while true {
            try press("\t")
            var answer = ""
            try await eventually("the editor has answered") {
                let before = answer
                answer = try shown()
                return !answer.isEmpty && answer == before
            }
            guard try Self.text(shown()).isEmpty else { return }
        }
    }

    /// Waits until a line is edited: the prompt is the last that is shown, and the editor has taken the terminal over.
    func untilEditing(behind prompt: String) async throws {
        try await eventually("a line is edited behind \(prompt)") {
            try Self.text(shown()).hasSuffix(prompt) && isRaw
        }
    }

    /// Waits until words are shown that were not when keys were pressed last.
    func untilShown(_ words: String) async throws {
        try await eventually("the terminal shows \(words)") {
            try Self.text(shown()).contains(words)
        }
    }

    /// Sends a signal to the program.
    func send(_ signal: Int32) throws {
        let text = try String(contentsOfFile: "\(place)/process", encoding: .utf8)
        guard let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ProgramFailure("no number of a process: \(text)")
        }
        kill(number, signal)
    }

    // MARK: The screen

    private func screen() throws -> Data {
        let file = URL(fileURLWithPath: "\(place)/screen")
        guard FileManager.default.fileExists(atPath: file.path) else { return Data() }
        return try Data(contentsOf: file)
    }

    /// What has come since keys were pressed last.
    private func shown() throws -> String {
        let count = seen.withLock { $0 }
        return String(decoding: try screen().dropFirst(count), as: UTF8.self)
    }

    /// Without colours, beeps, and what moves the cursor; spaces at the end may be such a move.
    private static func text(_ shown: String) -> String {
        var text = String.UnicodeScalarView()
        var isCommand = false
        for scalar in shown.unicodeScalars {
            if isCommand {
                // It ends with a letter, after a bracket and numbers, or is one of two signs.
                isCommand = !(scalar.properties.isAlphabetic || scalar == "=" || scalar == ">")
            } else if scalar == "\u{1B}" {
                isCommand = true
            } else if scalar != "\u{7}" && scalar != "\r" {
                text.append(scalar)
            }
        }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// Whether each key goes to the program at once.
    private var isRaw: Bool {
        get throws {
            let path = try String(contentsOfFile: "\(place)/terminal", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let terminal = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
            guard terminal >= 0 else { return false }
            defer { close(terminal) }
            var modes = termios()
            return tcgetattr(terminal, &modes) == 0 && modes.c_lflag & tcflag_t(ICANON) == 0
        }
    }
}

extension Workbench {
    /// Runs a program on a terminal, and `typing` beside it; the output is all that the terminal has shown.
    func onTerminal(
        _ words: [String], environment extra: [String: String] = [:],
        typing: (TestTerminal) async throws -> Void
    ) async throws -> ProgramEnd {
        let name = uniqueName("terminal")
        let place = "\(folder)/\(name)"
        let quoted = words.map { "'\($0.replacing(scalar: "'", with: "'\\''"))'" }
        try write(
            """
            tty >'\(place)/terminal'
            echo $$ >'\(place)/process'
            exec \(quoted.joined(separator: " "))
            """, to: "\(name)/run")
        let terminal = try TestTerminal(in: place)
        defer { withExtendedLifetime(terminal) {} }
        // As the program itself, so that it goes when this one is ended, and the other with it.
        return try await Program.run(
            "/bin/sh",
            [
                "-c",
                "exec script -qefc \"sh '\(place)/run'\" '\(place)/screen' <'\(place)/keys'",
            ],
            environment: environment.merging(["TERM": "xterm"]) { $1 }.merging(extra) { $1 },
            folder: folder
        ) { _ in try await typing(terminal) }
    }
}
