import BackupCore
import Foundation

/// `$XDG_STATE_HOME/dbtool`: what this program remembers between runs.
enum StateFolder {
    /// The path of a file in it; the folder is made when missing.
    static func path(_ file: String) -> String { "\(made)/\(file)" }

    /// Its own path; it is made when missing.
    static var made: String {
        let environment = ProcessInfo.processInfo.environment
        let state = environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        // Not a folder that everybody may write to: what lies there decides where backups are looked for.
        let folder = (state ?? "\(HomeFolder.path)/.local/state") + "/dbtool"
        make(folder)
        return folder
    }

    /// For its owner from the first moment on, whatever the umask.
    private static func make(_ folder: String) {
        var path = ""
        for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
            path += "\(part)/"
            // What is there stays. Without the folder nothing is remembered, which no run depends on.
            _ = mkdir(path, 0o700)
        }
    }
}

/// Which repository was used last for which database.
struct LastRepositories {
    private static let file = "repositories.json"

    private let folder: String

    init(in folder: String = StateFolder.made) { self.folder = folder }

    subscript(database: String) -> String? { all[database] }

    func remember(_ repository: String, for database: String) async {
        var all = all
        guard all[database] != repository else { return }
        all[database] = repository
        // A convenience: a run does not fail because it could not be written.
        guard let data = try? JSONEncoder().encode(all), let name = try? StorageName([Self.file])
        else { return }
        // Its files have mode 600 from their first moment on.
        let storage = LocalStorage(path: folder, locksWrites: true)
        try? await storage.write(name, bytes: Array(data))
        // What runs have left that were killed while they did this; it is in nobody's way.
        try? await storage.removeUnlockedWrites(in: nil) { $0 == Self.file }
    }

    private var all: [String: String] {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.file)") else {
            return [:]
        }
        // A file that is damaged remembers nothing.
        return (try? JSONDecoder().decode([String: String].self, from: data)) ?? [:]
    }
}
