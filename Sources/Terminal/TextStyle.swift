import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Emphasis on a terminal that shows it; elsewhere, and with `NO_COLOR`, text stays as it is.
///
/// - SeeAlso: <https://no-color.org>
public struct TextStyle: Sendable {
    private let isOn: Bool

    /// No emphasis.
    public static let plain = TextStyle(isOn: false)
    /// Emphasis whatever the place.
    public static let always = TextStyle(isOn: true)
    /// For standard output.
    public static var output: TextStyle { TextStyle(file: STDOUT_FILENO) }
    /// For standard error.
    public static var error: TextStyle { TextStyle(file: STDERR_FILENO) }

    private init(isOn: Bool) { self.isOn = isOn }

    private init(file: Int32) {
        let environment = ProcessInfo.processInfo.environment
        isOn =
            isatty(file) == 1 && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }

    /// What stands above others.
    public func strong(_ text: String) -> String { wrapped(text, "1") }
    /// What is not the content itself.
    public func faint(_ text: String) -> String { wrapped(text, "2") }
    /// What went wrong.
    public func bad(_ text: String) -> String { wrapped(text, "31") }
    /// What may be wrong.
    public func doubtful(_ text: String) -> String { wrapped(text, "33") }

    /// A strong prompt for libedit, which must know what takes no room.
    func strongPrompt(_ text: String) -> String {
        isOn ? "\u{1}\u{1B}[1m\u{1}\(text)\u{1}\u{1B}[0m\u{1}" : text
    }

    private func wrapped(_ text: String, _ code: String) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
