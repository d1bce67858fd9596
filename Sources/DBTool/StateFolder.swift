import BackupCore
import Foundation

/// `$XDG_STATE_HOME/dbtool`: what this program remembers between runs.
enum StateFolder {
    /// The path of a file in it; the folder is made when missing.
    static func path(_ file: String) -> String {
        let environment = ProcessInfo.processInfo.environment
        let state = environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        // Not a folder that everybody may write to: what lies there decides where backups are looked for.
        let folder = (state ?? "\(HomeFolder.path)/.local/state") + "/dbtool"
        // Without the folder nothing is remembered, which no run depends on.
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        return "\(folder)/\(file)"
    }
}

/// Which repository was used last for which database.
struct LastRepositories {
    private let path = StateFolder.path("repositories.json")

    subscript(database: String) -> String? { all[database] }

    func remember(_ repository: String, for database: String) {
        var all = all
        guard all[database] != repository else { return }
        all[database] = repository
        guard let data = try? JSONEncoder().encode(all) else { return }
        // A convenience: a run does not fail because it could not be written.
        try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
        chmod(path, 0o600)
    }

    private var all: [String: String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [:] }
        // A file that is damaged remembers nothing.
        return (try? JSONDecoder().decode([String: String].self, from: data)) ?? [:]
    }
}
