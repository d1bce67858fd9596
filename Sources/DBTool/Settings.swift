import BackupCore
import Configuration
import Foundation

/// Where each setting comes from: flags, `DB_*` of the environment, `.env`.
///
/// What none of them has is
/// left to the engine (`PG*`, `~/.pgpass`, defaults).
struct Settings: Sendable {
    private let environment: ConfigReader
    private let file: ConfigReader?
    /// The file's name, for people.
    private let fileName: String
    /// What to say about lines of the file that are not as they must be; never what they hold.
    let lineNotes: [String]
    /// Names of the file that begin as this program's do and mean nothing to it.
    let unknownNames: [String]

    /// Reads `.env`, unless `--config manual` says not to.
    ///
    /// - Throws: `BackupError.usage` when a file that was asked for is missing, and for one that cannot be read.
    init(_ options: ConnectionOptions) throws {
        environment = ConfigReader(provider: EnvironmentVariablesProvider())
        let contents = try Self.contents(options)
        file = contents.map {
            ConfigReader(
                provider: EnvironmentVariablesProvider(environmentVariables: $0.variables))
        }
        let name = options.envFile ?? ".env"
        fileName = name
        lineNotes = contents.map { Self.notes(on: $0, named: name) } ?? []
        unknownNames = Variable.unknown(among: (contents?.variables ?? [:]).keys)
    }

    /// What the file holds; nil when there is none.
    private static func contents(_ options: ConnectionOptions) throws -> SettingsFile? {
        guard options.config != .manual else { return nil }
        let path = options.envFile ?? ".env"
        let isWanted = options.envFile != nil || options.config == .file
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            guard !isWanted else {
                throw BackupError(
                    .usage, "settings file \(path) does not exist",
                    hint: "Copy .env.example to .env, or use --config manual with flags.")
            }
            return nil
        }
        guard !isFolder.boolValue else {
            throw BackupError(
                .usage, "settings file \(path) is a folder",
                hint: "Name a file with --env-file, or use --config manual with flags.")
        }
        do {
            // The library's own reader takes a file whose lines end in CR and LF for one line.
            return SettingsFile(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            let isRefused = (error as? CocoaError)?.code == .fileReadNoPermission
            throw BackupError(
                .usage,
                "settings file \(path) cannot be read\(isRefused ? ": permission denied" : "")",
                hint: "Let this user read it, or use --config manual with flags.",
                underlying: isRefused ? nil : error.localizedDescription)
        }
    }

    private static func notes(on file: SettingsFile, named name: String) -> [String] {
        let found = [
            ("left out, because it is no NAME=value", file.strayLines),
            ("taken as it is written, because no quotes enclose all of it", file.openQuotes),
        ]
        let ambiguous = file.ambiguous.map {
            ("\($0.name) has different values, of which the last counts", $0.lines)
        }
        return (found + ambiguous).filter { !$0.1.isEmpty }.map { words, lines in
            let shown = lines.prefix(5).map { "line \($0)" }.joined(separator: ", ")
            let more = lines.count > 5 ? " and \(lines.count - 5) more" : ""
            return "\(name): \(words): \(shown)\(more)"
        }
    }

    /// A flag's value, else that of the variable: `DB_HOST`.
    func value(_ flag: String?, _ variable: String) -> String? {
        found(flag, variable)?.value
    }

    /// The same, and what it was found in, for people: `flag`, `DB_HOST`, `DB_HOST in .env`.
    func found(_ flag: String?, _ variable: String) -> (value: String, place: String)? {
        if let flag { return (flag, "flag") }
        let key = Self.key(variable)
        if let value = environment.string(forKey: key), !value.isEmpty { return (value, variable) }
        return file?.string(forKey: key).map(SettingsFile.unquoted)
            .flatMap { $0.isEmpty ? nil : ($0, "\(variable) in \(fileName)") }
    }

    private static func key(_ variable: String) -> ConfigKey {
        ConfigKey(variable.lowercased().split(separator: "_").map(String.init))
    }

    /// What to say where nothing names a database, and the variable that other programs have for it would have: another
    /// database is backed up then, or none.
    func databaseNote(_ options: ConnectionOptions) -> String? {
        guard options.url == nil, value(options.database, "DB_NAME") == nil,
            (environment.string(forKey: Self.key("PGDATABASE")) ?? "").isEmpty,
            let place = found(nil, Variable.othersDatabase)?.place
        else { return nil }
        return "\(place) is not read: the database is named by DB_NAME, or by --database"
    }

    /// What to say about the names that mean nothing.
    var unknownNamesText: String? {
        guard !unknownNames.isEmpty else { return nil }
        let names = unknownNames.map { name in
            Variable.meant(by: name).map { "\(name) (\($0)?)" } ?? name
        }
        return "\(fileName) has names that dbtool does not know: \(names.joined(separator: ", "))"
    }

    /// The file's path, when others than its owner may read it.
    var openFile: String? {
        guard file != nil,
            let attributes = try? FileManager.default.attributesOfItem(atPath: fileName),
            let mode = attributes[.posixPermissions] as? Int, mode & 0o077 != 0
        else { return nil }
        return fileName
    }

    /// A flag's value, else that of the variable, of a few that there are.
    ///
    /// - Throws: `BackupError.usage` naming the variable and what it can be.
    func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ flag: Value?, _ variable: String
    ) throws -> Value? {
        guard flag == nil, let text = value(nil, variable) else { return flag }
        guard let value = Value(rawValue: text.lowercased()) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw BackupError(
                .usage, "\(variable) is not understood: \(text)", hint: "It can be \(known).")
        }
        return value
    }
}
