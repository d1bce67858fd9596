import ArgumentParser
import BackupCore

extension NameSpecification {
    /// `--name`, and `-name` as well.
    static func word(_ name: String) -> NameSpecification {
        [.customLong(name), .customLong(name, withSingleDash: true)]
    }
}

/// How to reach the server.
struct ConnectionOptions: ParsableArguments, Sendable {
    enum Engine: String, ExpressibleByArgument, CaseIterable {
        case postgres, mysql

        init?(argument: String) { self.init(name: argument) }

        /// By any of the names that the products have.
        init?(name: String) {
            switch name.lowercased() {
            case "postgres", "postgresql": self = .postgres
            case "mysql", "mariadb": self = .mysql
            default: return nil
            }
        }
    }
    enum Source: String, ExpressibleByArgument, CaseIterable { case file, manual }
    enum StorageKind: String, ExpressibleByArgument, CaseIterable { case local }

    @Option(name: .word("db"), help: "The database product; mysql is MariaDB as well.")
    var db: Engine?
    @Option(name: .word("database"), help: "The database.")
    var database: String?
    @Option(
        name: .word("host"),
        help:
            "Host name, address, or the server's socket: its folder (PostgreSQL), or file (MySQL).")
    var host: String?
    @Option(name: .word("port"), help: "The server's port.")
    var port: String?
    @Option(name: .word("user"), help: "The role to log in as.")
    var user: String?
    @Option(
        name: .word("password"),
        help:
            "Its password; better in DB_PASSWORD, .env, ~/.pgpass or ~/.my.cnf, where others do not see it."
    )
    var password: String?
    @Option(name: .word("url"), help: "All of these as one URL: postgresql://… or mysql://….")
    var url: String?
    @Option(
        name: .word("sslmode"),
        help: "disable, allow, prefer, require, verify-ca or verify-full.",
        completion: .list(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]))
    var sslmode: String?
    @Option(
        name: .word("sslrootcert"), help: "File of the certificate authorities to trust.",
        completion: .file())
    var sslrootcert: String?
    @Option(name: .word("sslcert"), help: "File of the client's certificate.", completion: .file())
    var sslcert: String?
    @Option(name: .word("sslkey"), help: "File of the client's key.", completion: .file())
    var sslkey: String?
    @Option(name: .word("config"), help: "file: read .env. manual: do not.")
    var config: Source?
    @Option(name: .word("env-file"), help: "Another file than .env.", completion: .file())
    var envFile: String?
    @Option(name: .word("storage"), help: "What holds the repository.")
    var storage: StorageKind = .local
    @Option(name: .word("pg-dump"), help: "The pg_dump to use.", completion: .file())
    var pgDump: String?
}

/// Where the repository is.
struct RepositoryOptions: ParsableArguments, Sendable {
    @Option(
        name: .word("path"),
        help: "The repository's folder; else DB_BACKUP_PATH, else the one used last.",
        completion: .directory)
    var path: String?
}

/// What every command has: how it tells what it does.
struct OutputOptions: ParsableArguments, Sendable {
    @Flag(name: .word("json"), help: "One JSON document on standard output.")
    var json = false
    @Option(
        name: .word("log-file"), help: "Another log than the one in the state folder.",
        completion: .file())
    var logFile: String?
    @Option(name: .word("log-format"), help: "Lines of the log as text, or each a JSON object.")
    var logFormat: LogFormat?
    @Option(name: .word("log-level"), help: "The least that is worth a line of the log.")
    var logLevel: LogLevel?
}

/// How many connections or files at a time.
struct JobsOptions: ParsableArguments, Sendable {
    @Option(name: .word("jobs"), help: "How many work side by side.")
    var jobs = 2

    func validate() throws {
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs must be from 1 to 64.")
        }
    }
}

/// A command that `FrontDoor` runs.
protocol BackupCommand: AsyncParsableCommand, Sendable {
    var output: OutputOptions { get }
    var connection: ConnectionOptions { get }
    /// What is left when the command is interrupted, for the error's message.
    var interruptionLeaves: String { get }

    /// Does the work and shows the result.
    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode
}

extension BackupCommand {
    var interruptionLeaves: String { "nothing was changed" }
}
