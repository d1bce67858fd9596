import Foundation

/// The home of who runs this: `$HOME`, as shells and `~/.my.cnf` have it, else that of the user's account.
enum HomeFolder {
    static var path: String {
        ProcessInfo.processInfo.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? NSHomeDirectory()
    }

    /// A path that begins with `~`, as no shell has seen it; any other as it is.
    static func expanded(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/") else { return path }
        return Self.path + path.dropFirst()
    }
}
