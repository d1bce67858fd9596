import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Runs other programs: dbtool itself, psql, a shell.
public enum Program {
    private static let outputLimit = 1 << 28

    /// Runs a program to its end.
    ///
    /// `environment` is everything that it gets: nothing of the developer's own.
    public static func run(
        _ path: String, _ arguments: [String], environment: [String: String], folder: String
    ) async throws -> ProgramEnd {
        try await run(path, arguments, environment: environment, folder: folder) { _ in }
    }

    /// Runs a program, and `body` beside it; both have ended when this returns.
    public static func run(
        _ path: String, _ arguments: [String], environment: [String: String], folder: String,
        while body: (RunningProgram) async throws -> Void
    ) async throws -> ProgramEnd {
        // Whoever started the tests may have had them ignore it, and programs inherit that.
        signal(SIGHUP, SIG_DFL)
        let variables = environment.compactMap { name, value in
            Subprocess.Environment.Key(rawValue: name).map { ($0, value) }
        }
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments),
            environment: .custom(Dictionary(variables) { first, _ in first }),
            workingDirectory: FilePath(folder), input: .none,
            output: .bytes(limit: outputLimit), error: .bytes(limit: outputLimit)
        ) { execution in
            do {
                try await body(
                    RunningProgram(number: execution.processIdentifier.value) {
                        try execution.send(signal: Signal(rawValue: $0))
                    })
            } catch {
                // What was to happen beside it did not: waiting for its end makes no sense.
                try? execution.send(signal: .kill)
                throw error
            }
        }
        let code: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        return ProgramEnd(
            command: ([path] + arguments).joined(separator: " "), code: code,
            outputBytes: result.standardOutput,
            errors: String(decoding: result.standardError, as: UTF8.self))
    }
}

/// A program that runs.
public struct RunningProgram: Sendable {
    let number: Int32
    /// Sends it a signal.
    public let send: @Sendable (_ signal: Int32) throws -> Void

    /// The program that this one runs, as `timeout` does.
    ///
    /// A signal that `timeout` gets in the moment in which it begins that program ends it alone, and nobody waits for the other.
    public var inner: RunningProgram {
        RunningProgram(number: number) { [number] signal in
            guard let child = try Self.children(of: number).first else { return }
            kill(child, signal)
        }
    }

    /// Whether a program that this one has begun has not ended, as below `timeout`.
    public var runsAnother: Bool {
        // A program that is gone has none.
        (try? Self.children(of: number))?.isEmpty == false
    }

    private static func children(of number: Int32) throws -> [Int32] {
        try String(contentsOfFile: "/proc/\(number)/task/\(number)/children", encoding: .utf8)
            .split(separator: " ").compactMap { Int32($0) }
    }
}

/// How a program ended, and what it said.
public struct ProgramEnd: Sendable, CustomStringConvertible {
    /// Its words, for messages.
    public let command: String
    /// Its exit code; 128 and the signal's number when a signal ended it.
    public let code: Int32
    /// Its standard output.
    public let outputBytes: [UInt8]
    /// Its standard error.
    public let errors: String

    /// Its standard output as text.
    public var output: String { String(decoding: outputBytes, as: UTF8.self) }

    public var description: String {
        """
        \(command)
        exit code \(code)
        standard output: \(output.prefix(4000))
        standard error: \(errors.prefix(4000))
        """
    }
}

/// A program failed that a test cannot do without.
public struct ProgramFailure: Error, CustomStringConvertible {
    /// What happened.
    public let description: String

    /// Says what happened.
    public init(_ description: String) {
        self.description = description
    }
}
