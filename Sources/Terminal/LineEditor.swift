internal import CEdit
import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Lines that a person edits on the terminal, with history and completion, by libedit.
///
/// There is one terminal, and one editor for it: libedit's callbacks know no other context.
/// `@unchecked Sendable`: one thread at a time edits, which `readLine` is.
public final class LineEditor: @unchecked Sendable {
    /// What could stand at the cursor.
    public struct Completion: Sendable {
        /// How many Unicode scalars before the cursor they replace.
        public let replaced: Int
        /// The words.
        public let candidates: [String]
        /// What stands there whichever of them is meant.
        public let common: String

        /// Describes what could stand there.
        ///
        /// `common`: Where words have quotes, which end behind it; else what they begin with.
        public init(replaced: Int, candidates: [String], common: String? = nil) {
            self.replaced = replaced
            self.candidates = candidates
            self.common =
                common
                ?? candidates.dropFirst().reduce(candidates.first ?? "") {
                    $0.commonPrefix(with: $1)
                }
        }
    }

    /// What came of editing a line.
    public enum Line: Sendable {
        /// A line, without its end.
        case text(String)
        /// Somebody pressed Ctrl-C.
        case cancelled
        /// Somebody pressed Ctrl-D, or the terminal is gone.
        case end
    }

    private let edit: OpaquePointer
    private let history: OpaquePointer
    private let historyPath: String?
    /// How the terminal was before.
    private let modes: termios

    /// Set before a line is read, used while it is.
    private nonisolated(unsafe) static var prompt = strdup("> ")
    private nonisolated(unsafe) static var wasCancelled = false
    private nonisolated(unsafe) static var complete: (String) -> Completion = { _ in
        Completion(replaced: 0, candidates: [])
    }

    /// An editor; nil where libedit cannot have the terminal.
    ///
    /// `historyPath`: Where lines are remembered, for their owner only.
    /// `complete`: Gives what could stand behind a text; it must not wait for anything.
    public init?(
        name: String, historyPath: String?, complete: @escaping @Sendable (String) -> Completion
    ) {
        // Without a locale of its own a terminal is taken for one that shows ASCII only.
        setlocale(LC_CTYPE, "")
        let encoding = nl_langinfo(Int32(CODESET)).map { String(cString: $0) }
        if encoding != "UTF-8" { setlocale(LC_CTYPE, "C.UTF-8") }
        guard let edit = dbtool_edit_open(name), let history = history_init() else {
            return nil
        }
        self.edit = edit
        self.history = history
        self.historyPath = historyPath
        var modes = termios()
        tcgetattr(STDIN_FILENO, &modes)
        self.modes = modes
        Self.complete = complete
        _ = dbtool_edit_set_emacs(edit)
        _ = dbtool_edit_set_prompt(edit) { _ in LineEditor.prompt }
        _ = dbtool_history_set_size(history, 2000)
        if let historyPath { _ = dbtool_history_load(history, historyPath) }
        _ = dbtool_edit_set_history(edit, history)
        _ = dbtool_edit_add(edit, "dbtool-complete", "Complete the word") { edit, _ in
            LineEditor.completeWord(edit)
        }
        _ = dbtool_edit_add(edit, "dbtool-cancel", "Give the line up") { _, _ in
            LineEditor.wasCancelled = true
            return UInt8(CC_NEWLINE)
        }
        _ = dbtool_edit_bind(edit, "\t", "dbtool-complete")
        _ = dbtool_edit_bind(edit, "^R", "em-inc-search-prev")
        // The user's own settings may change all of this.
        el_source(edit, nil)
        _ = dbtool_edit_bind(edit, "^C", "dbtool-cancel")
        _ = dbtool_edit_keep_signals_off(edit)
    }

    deinit {
        history_end(history)
        el_end(edit)
    }

    /// Lets a person edit a line; blocks the thread.
    public func readLine(prompt: String) -> Line {
        free(Self.prompt)
        Self.prompt = strdup(TextStyle.output.strongPrompt(prompt))
        Self.wasCancelled = false
        var count: Int32 = 0
        let text = el_gets(edit, &count)
        if Self.wasCancelled {
            TerminalOutput.print(text: "^C\n")
            return .cancelled
        }
        guard let text, count > 0 else {
            TerminalOutput.print(text: "\n")
            return .end
        }
        let line = String(cString: text)
        return .text(line.hasSuffix("\n") ? String(line.dropLast()) : line)
    }

    /// Gives the terminal back as it was, although a line is being read.
    public func returnTerminal() {
        var modes = modes
        tcsetattr(STDIN_FILENO, TCSANOW, &modes)
        TerminalOutput.print(text: "\n")
    }

    /// Remembers a line.
    public func remember(_ line: String) {
        _ = dbtool_history_add(history, line)
        guard let historyPath else { return }
        let mask = umask(0o077)
        defer { umask(mask) }
        _ = dbtool_history_save(history, historyPath)
    }

    // MARK: Completion

    private static func completeWord(_ edit: OpaquePointer?) -> UInt8 {
        guard let edit, let info = el_line(edit)?.pointee, let start = info.buffer else {
            return UInt8(CC_ERROR)
        }
        let before = String(
            decoding: UnsafeRawBufferPointer(start: start, count: info.cursor - start),
            as: UTF8.self)
        let completion = complete(before)
        let (candidates, common) = (completion.candidates, completion.common)
        guard !candidates.isEmpty else { return UInt8(CC_REFRESH_BEEP) }
        if candidates.count == 1 || common.unicodeScalars.count > completion.replaced {
            // Its characters are those of the line's encoding, of which an accent may be one.
            el_deletestr(edit, Int32(completion.replaced))
            let isWhole = candidates.count == 1 && !common.hasSuffix("/")
            el_insertstr(edit, common + (isWhole ? " " : ""))
            return UInt8(CC_REFRESH)
        }
        show(candidates)
        return UInt8(CC_REDISPLAY)
    }

    private static func show(_ candidates: [String]) {
        let shown = candidates.prefix(200).map(VisibleText.of)
        let width = (shown.map(\.count).max() ?? 0) + 2
        let columns = max(1, (TerminalOutput.outputWidth ?? 80) / width)
        var text = "\n"
        for (index, word) in shown.enumerated() {
            let isLast = index % columns == columns - 1 || index == shown.count - 1
            text += word + (isLast ? "\n" : String(repeating: " ", count: width - word.count))
        }
        if candidates.count > shown.count { text += "… \(candidates.count) in all\n" }
        TerminalOutput.print(text: text)
    }
}
