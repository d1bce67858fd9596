import Foundation
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Standard output and standard error, as a person or a program sees them.
public enum TerminalOutput {
    /// Whether progress can be redrawn in place.
    public static var isInteractive: Bool {
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// The columns of the terminal behind standard error; nil where nothing can be redrawn.
    public static var errorWidth: Int? {
        guard isInteractive else { return nil }
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 80
        }
        return Int(size.ws_col)
    }

    /// The columns of the terminal that standard output is; nil when it is none.
    public static var outputWidth: Int? {
        outputSize.map { $0.ws_col > 0 ? Int($0.ws_col) : 80 }
    }

    /// The lines of that terminal; nil when it is none.
    public static var outputHeight: Int? {
        outputSize.map { $0.ws_row > 0 ? Int($0.ws_row) : 24 }
    }

    private static var outputSize: winsize? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        _ = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        return size
    }

    /// Whether somebody types what is read from standard input.
    public static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Writes bytes to standard output.
    ///
    /// - Returns: False when nobody reads them any more, or they cannot be written: see `failure`.
    public static func write(_ bytes: [UInt8]) -> Bool {
        if writeAll(bytes, to: STDOUT_FILENO) { return true }
        if errno != EPIPE {
            let words = String(cString: strerror(errno))
            firstFailure.withLock { $0 = $0 ?? words }
        }
        return false
    }

    /// Why something could not be written to standard output, in the system's words; nil where it could,
    /// and where whoever read it has gone.
    public static var failure: String? { firstFailure.withLock { $0 } }
    private static let firstFailure = Mutex<String?>(nil)

    /// Writes text to standard output as it is.
    public static func print(text: String) {
        _ = write(Array(text.utf8))
    }

    /// Writes a line to standard output.
    public static func print(line: String) {
        _ = write(Array("\(line)\n".utf8))
    }

    /// Writes text to standard error.
    public static func printError(_ text: String) {
        _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
    }

    /// From now on nothing that is written to standard error is seen.
    public static func silenceErrors() {
        let nowhere = open("/dev/null", O_WRONLY)
        guard nowhere >= 0 else { return }
        dup2(nowhere, STDERR_FILENO)
        close(nowhere)
    }

    /// Asks for a password on the terminal itself, without showing it; nil without a terminal, and at its end.
    ///
    /// Blocks the thread. Not by `getpass`, while which Ctrl-C and SIGTERM stop nothing.
    ///
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    public static func askForPassword(_ prompt: String) throws -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        isAsking.store(true, ordering: .relaxed)
        defer { isAsking.store(false, ordering: .relaxed) }
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else { return nil }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            printError("\n")
        }
        printError(isInteractive ? "\r\u{1B}[K\(prompt)" : prompt)
        guard awaitLine() else { throw CancellationError() }
        return readLine()
    }

    /// Whether a password is being typed: nothing may be drawn over the question.
    static let isAsking = Atomic(false)

    /// Asks a question on the terminal; nil without one, and when the task is cancelled meanwhile.
    ///
    /// What was typed or pasted before the question is no answer to it.
    ///
    /// Blocks the thread.
    public static func ask(_ question: String) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        tcflush(STDIN_FILENO, TCIFLUSH)
        printError(question)
        guard awaitLine() else {
            // What was typed so far is no answer to anything.
            tcflush(STDIN_FILENO, TCIFLUSH)
            printError("\n")
            return nil
        }
        return readLine()?.trimmingCharacters(in: .whitespaces)
    }

    /// Waits until the terminal has a line, or its end; false when the task is cancelled before.
    private static func awaitLine() -> Bool {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while poll(&input, 1, 100) <= 0 {
            if Task.isCancelled { return false }
        }
        return true
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Darwin)
                    let count = Darwin.write(file, piece.baseAddress, piece.count)
                #else
                    let count = Glibc.write(file, piece.baseAddress, piece.count)
                #endif
                if count < 0 && errno == EAGAIN {
                    // A pipe that somebody has made not to wait is waited for all the same.
                    var status = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                    poll(&status, 1, -1)
                } else if count < 0 && errno != EINTR {
                    return false
                }
                rest = rest.dropFirst(max(0, count))
            }
            return true
        }
    }
}
