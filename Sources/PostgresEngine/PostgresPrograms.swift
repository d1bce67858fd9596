import BackupCore
import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// A pg_dump and the pg_restore beside it.
struct PostgresPrograms: Sendable {
    let dump: String
    let major: Int

    /// The pg_restore beside it.
    var restore: String {
        URL(fileURLWithPath: dump).deletingLastPathComponent()
            .appendingPathComponent("pg_restore").path
    }

    // MARK: Finding them

    /// The oldest pg_dump that is not older than `major`: a newer one may write what an older
    /// server does not understand.
    ///
    /// - Throws: `BackupError.toolMissing` naming what was found.
    static func find(atLeast major: Int, named: String?) async throws -> PostgresPrograms {
        let candidates = named.map { [$0] } ?? candidatePaths(preferring: major)
        var found: [PostgresPrograms] = []
        for path in candidates where FileManager.default.isExecutableFile(atPath: path) {
            guard let its = try await self.major(of: path) else { continue }
            found.append(PostgresPrograms(dump: path, major: its))
            // None fits better, and asking takes time: Debian's wrapper a tenth of a second.
            if its == major { break }
        }
        if let fitting = found.filter({ $0.major >= major }).min(by: { $0.major < $1.major }) {
            return fitting
        }
        throw missing(atLeast: major, found: found, named: named)
    }

    private static func candidatePaths(preferring major: Int) -> [String] {
        let environment = ProcessInfo.processInfo.environment
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let roots = [
            "/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt",
            "/usr/local/opt",
        ]
        let versioned = roots.flatMap { root in
            ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
                .map { "\(root)/\($0)/bin" }
        }
        let redHat = (14...30).map { "/usr/pgsql-\($0)/bin" }
        // Debian's wrapper on the PATH chooses by cluster, not by what is asked: real ones first.
        let all = versioned + redHat + path
        let likely = all.filter { $0.contains("/\(major)/") || $0.contains("-\(major)/") }
        return (likely + all.filter { !likely.contains($0) }).map { "\($0)/pg_dump" }
    }

    /// Nil for a program that does not run or says something else.
    private static func major(of path: String) async throws -> Int? {
        let result = try? await run(
            .path(FilePath(path)), arguments: ["--version"],
            environment: .custom(environment(with: [:])), output: .string(limit: 4096))
        let words = result?.standardOutput ?? ""
        return words.firstMatch(of: /(\d+)(?:\.\d+|devel|beta\d+|rc\d+)/).flatMap { Int($0.1) }
    }

    private static func missing(
        atLeast major: Int, found: [PostgresPrograms], named: String?
    ) -> BackupError {
        let versions = found.map { "\($0.dump) (version \($0.major))" }.joined(separator: ", ")
        let problem =
            switch (found.isEmpty, named) {
            case (true, let named?): "\(named) is not a pg_dump that runs"
            case (true, nil): "no pg_dump was found"
            case (false, _):
                "pg_dump is older than the server (version \(major)): found \(versions)"
            }
        return BackupError(
            .toolMissing, problem,
            hint: "Install postgresql-client-\(major) or newer, or name one with --pg-dump.")
    }

    // MARK: Running them

    /// Runs pg_dump; its standard output, and what it warns of.
    func dump(
        _ arguments: [String], environment: [String: String]
    ) async throws -> (output: [UInt8], warnings: [String]) {
        let (output, messages) = try await successful(dump, arguments, environment)
        return (output, Self.warnings(in: messages))
    }

    /// Runs pg_restore without a database; its standard output.
    func render(_ arguments: [String]) async throws -> [UInt8] {
        try await successful(restore, arguments, [:]).output
    }

    /// Runs pg_restore against a database; how it ended, and what it complained about.
    ///
    /// `isProgress` gets each line of its messages at once; those of which it says yes are not
    /// kept.
    func restore(
        _ arguments: [String], environment: [String: String],
        isProgress: @escaping @Sendable (_ line: String) -> Bool
    ) async throws -> PostgresRestoreRun {
        let result = try await run(
            .path(FilePath(restore)), arguments: Arguments(arguments),
            environment: .custom(Self.environment(with: environment)),
            platformOptions: Self.options, input: .none, output: .discarded, error: .sequence
        ) { execution in
            var messages = PostgresMessages(isProgress: isProgress)
            for try await buffer in execution.standardError {
                buffer.withUnsafeBytes { messages.append($0) }
            }
            return messages.text
        }
        try Task.checkCancellation()
        let ending: PostgresRestoreRun.Ending =
            switch result.terminationStatus {
            case .exited(let status): .exited(status)
            case .signaled(let signal): .signaled(signal)
            }
        return PostgresRestoreRun(ending: ending, messages: result.closureResult)
    }

    /// A program that is to end early gets the time to say goodbye to the server.
    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        return options
    }

    private func successful(
        _ program: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> (output: [UInt8], messages: String) {
        let result = try await execute(program, arguments, environment)
        guard result.succeeded else {
            let name = URL(fileURLWithPath: program).lastPathComponent
            throw PostgresPrograms.failure(of: name, result.messages)
        }
        return (result.output, result.messages)
    }

    /// What a program goes on in spite of, without its name: `subscriptions not dumped because …`.
    static func warnings(in messages: String) -> [String] {
        messages.split(separator: "\n").compactMap { line in
            line.firstMatch(of: /^[^ ]+: warning: (.+)$/).map { String($0.1) }
        }
    }

    static func failure(of name: String, _ messages: String) -> BackupError {
        // pg_dump's --lock-wait-timeout is a statement_timeout while it locks.
        let isLock =
            messages.contains("lock timeout") || messages.contains("could not obtain lock")
            || (messages.contains("statement timeout") && messages.contains("LOCK TABLE"))
        let first = messages.split(separator: "\n").first.map(String.init) ?? "no message"
        return BackupError(
            isLock ? .locked : .serverRefused, "\(name) failed: \(first)",
            underlying: messages)
    }

    private func execute(
        _ program: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> (succeeded: Bool, output: [UInt8], messages: String) {
        let result = try await run(
            .path(FilePath(program)), arguments: Arguments(arguments),
            environment: .custom(Self.environment(with: environment)),
            platformOptions: Self.options, output: .bytes(limit: 256 << 20),
            error: .string(limit: 256 << 20))
        try Task.checkCancellation()
        return (result.terminationStatus.isSuccess, result.standardOutput, result.standardError)
    }

    // MARK: What they know

    /// What they need of this process's variables: to find files and libraries, and who they are.
    ///
    /// A list of what they get and not of what they do not: passwords are in variables of any name, ours and those of
    /// whatever else the machine does. `PG*` must not fill gaps, so that a connection's own are all there are.
    private static let inherited: Set = [
        "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES",
    ]
    /// Kerberos, and the linker of either system.
    private static let inheritedPrefixes = ["KRB5", "LD_", "DYLD_"]

    /// What a program gets that a process with some variables starts, with `own` besides.
    static func environment(
        of process: [String: String], with own: [String: String]
    ) -> [String: String] {
        let needed = process.filter { variable in
            inherited.contains(variable.key)
                || inheritedPrefixes.contains { variable.key.hasPrefix($0) }
        }
        return needed.merging(["LC_ALL": "C"]) { $1 }.merging(own) { $1 }
    }

    private static func environment(
        with own: [String: String]
    ) -> [Subprocess.Environment.Key: String] {
        let all = environment(of: ProcessInfo.processInfo.environment, with: own)
        return Dictionary(
            all.compactMap { name, value in
                Subprocess.Environment.Key(rawValue: name).map { ($0, value) }
            }
        ) { first, _ in first }
    }
}
