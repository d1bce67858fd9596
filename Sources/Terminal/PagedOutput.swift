import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Lines for a person: as they are while they fit on the screen, through a pager when they do not.
///
/// Without a terminal, or a pager, they are written as they come.
/// `@unchecked Sendable`: one task at a time writes, which is whoever shows a result.
public final class PagedOutput: @unchecked Sendable {
    /// The emphasis that whoever shows the lines understands.
    public let style: TextStyle
    private let command: String?
    private let height: Int
    private var first: [String] = []
    private var pager: UnsafeMutablePointer<FILE>?
    private var isFlowing = false

    /// `mayPage`: Whether somebody is there to leave the pager again.
    public init(mayPage: Bool) {
        height = TerminalOutput.outputHeight ?? 0
        command = mayPage && height > 0 ? Self.pagerCommand() : nil
        isFlowing = command == nil
        let options = ProcessInfo.processInfo.environment["LESS"]
        style = command == nil || Self.showsEmphasis(command, options) ? .output : .plain
    }

    /// What other pagers do with it nobody knows.
    private static func showsEmphasis(_ command: String?, _ options: String?) -> Bool {
        command?.hasSuffix("less") == true && options?.contains { "Rr".contains($0) } ?? true
    }

    /// Writes a line; false when nobody wants more.
    public func write(_ line: String) -> Bool {
        guard isFlowing else {
            first.append(line)
            return first.count < height - 1 || begin()
        }
        return put("\(line)\n")
    }

    /// Writes what is left, and waits until it has been read.
    public func end() {
        let rest = first
        first = []
        isFlowing = true
        for line in rest { _ = put("\(line)\n") }
        guard let pager else { return }
        pclose(pager)
        self.pager = nil
    }

    private func begin() -> Bool {
        isFlowing = true
        if let command { pager = popen(command, "w") }
        let lines = first
        first = []
        return put(lines.map { "\($0)\n" }.joined())
    }

    private func put(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let pager else { return TerminalOutput.write(bytes) }
        return fwrite(bytes, 1, bytes.count, pager) == bytes.count
    }

    /// What `PAGER` names, else `less`: it leaves lines uncut, and ends by itself after one screen.
    private static func pagerCommand() -> String? {
        let environment = ProcessInfo.processInfo.environment
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        func isThere(_ program: some StringProtocol) -> Bool {
            program.contains("/")
                ? access(String(program), X_OK) == 0
                : folders.contains { access("\($0)/\(program)", X_OK) == 0 }
        }
        if let named = environment["PAGER"], named != "less" {
            let program = named.prefix { $0 != " " }
            return !program.isEmpty && isThere(program) ? named : nil
        }
        guard isThere("less") else { return nil }
        return environment["LESS"] == nil ? "LESS=FRSX less" : "less"
    }
}
