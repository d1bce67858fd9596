import Foundation

/// A word of a command line as somebody typed it, which may not be finished.
struct ShellWord {
    /// What the shell would make of it, as far as quotes, backslashes, `~/` and `$HOME` go.
    let value: String

    init(typed: String) {
        var value = String.UnicodeScalarView()
        var quote: Unicode.Scalar?
        // A quote under an accent is still a quote.
        var scalars = typed.unicodeScalars[...]
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        for prefix in ["~/", "$HOME/", "${HOME}/", "\"$HOME/", "\"${HOME}/"]
        where scalars.starts(with: prefix.unicodeScalars) {
            value = "\(home)/".unicodeScalars
            quote = prefix.first == "\"" ? "\"" : nil
            scalars = scalars.dropFirst(prefix.unicodeScalars.count)
        }
        while let scalar = scalars.popFirst() {
            switch (scalar, quote) {
            case ("\\", nil), ("\\", "\""): value.append(scalars.popFirst() ?? "\\")
            case ("'", nil), ("\"", nil): quote = scalar
            case (_, .some(scalar)): quote = nil
            default: value.append(scalar)
            }
        }
        self.value = String(value)
    }
}
