import BackupCore

/// The exit codes, and which failure has which.
enum ExitCode: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case usage = 2
    case incomplete = 3
    case verificationFailed = 4
    case noConnection = 5
    case locked = 6
    case interrupted = 130

    init(_ code: BackupError.Code) {
        self =
            switch code {
            case .usage: .usage
            case .connectionFailed, .passwordRequired: .noConnection
            case .locked: .locked
            case .damaged: .verificationFailed
            case .interrupted: .interrupted
            case .notFound, .permissionDenied, .serverRefused, .sourceChanged, .toolMissing,
                .targetUnsuitable, .storageFailed, .unsupportedFormat:
                .failed
            }
    }

    /// One line of the help.
    var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .usage: "the command was not understood"
        case .incomplete: "made, but incomplete, as the output says"
        case .verificationFailed: "a file is damaged, or rows differ"
        case .noConnection: "no connection to the server"
        case .locked: "another run, or a table's lock, was in the way"
        case .interrupted: "interrupted"
        }
    }

    /// All of them, for the help.
    static var list: String {
        allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: " · ")
    }
}
