import Foundation

/// What one or several programs took.
struct Measurement {
    /// Seconds by the clock.
    var wallSeconds = 0.0
    /// Seconds of processors, in user and system mode, of the programs and those that they started.
    var cpuSeconds = 0.0
    /// The largest resident memory of any one of these processes.
    var peakBytes = 0
    /// Seconds of processors that the server took meanwhile.
    var serverSeconds = 0.0
    /// What its files take, where it writes files.
    var writtenBytes: Int?

    /// Programs that ran one after another.
    static func + (left: Measurement, right: Measurement) -> Measurement {
        Measurement(
            wallSeconds: left.wallSeconds + right.wallSeconds,
            cpuSeconds: left.cpuSeconds + right.cpuSeconds,
            peakBytes: max(left.peakBytes, right.peakBytes),
            writtenBytes: right.writtenBytes ?? left.writtenBytes)
    }
}

/// A program and its arguments, run to its end under the kernel's own accounting.
///
/// `wait4` gives what `/usr/bin/time -v` shows: the child's usage with that of all it waited for.
/// Foundation's `Process` waits itself and forgets these numbers.
struct MeasuredProgram {
    let path: String
    let arguments: [String]

    init(_ path: String, _ arguments: String...) {
        self.init(path, arguments)
    }

    init(_ path: String, _ arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// Runs the program; `log` gets what it writes to standard output and standard error.
    func run(log: String) throws -> Measurement {
        let clock = ContinuousClock()
        let start = clock.now
        var status: Int32 = 0
        var usage = rusage()
        let process = try spawn(log: log)
        while wait4(process, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw Failure(description: "cannot wait for \(path)") }
        }
        let wall = start.duration(to: clock.now)
        guard status == 0 else {
            // The log is for people; an empty one says nothing.
            let words = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Failure(description: "\(path) \(arguments.joined(separator: " ")):\n\(words)")
        }
        return Measurement(
            wallSeconds: wall / .seconds(1),
            cpuSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime),
            peakBytes: usage.ru_maxrss * Self.residentUnit)
    }

    private func spawn(log: String) throws -> pid_t {
        let words = ([path] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        #if os(Linux)
            var actions = posix_spawn_file_actions_t()
        #else
            var actions: posix_spawn_file_actions_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, nil, words + [nil], environ)
        guard code == 0 else {
            throw Failure(description: "cannot start \(path): \(String(cString: strerror(code)))")
        }
        return process
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// Linux counts kilobytes, macOS bytes.
    private static var residentUnit: Int {
        #if os(Linux)
            1024
        #else
            1
        #endif
    }
}
