import BackupTesting
import Foundation
import Testing

/// Sees where a secret shows while programs run: in the words and the variables of any process, and in files.
enum SecretWatch {
    /// Where a secret was seen while `body` ran: `words of dbtool`, `PGPASSWORD of pg_dump`, or the path of a file.
    ///
    /// It looks at every process that was not there before, whoever has started it, and again after a few milliseconds: what
    /// lives shorter than that may escape it.
    /// - Parameters:
    ///   - secrets: As they may stand in words and variables.
    ///   - part: What is in each of them, and looks alike in every file.
    static func places(
        of secrets: [String], part: String, inFilesOf folder: String,
        while body: () async throws -> Void
    ) async throws -> Set<String> {
        let known = Set(processes())
        let ended = Ended()
        let (watch, answer) = AsyncStream<Set<String>>.makeStream()
        // A thread of its own: the pool of tasks may be busy with other tests for longer than a program lives.
        Thread.detachNewThread {
            var places: Set<String> = []
            repeat {
                for process in processes() where !known.contains(process) {
                    places.formUnion(Self.places(of: secrets, in: process))
                }
                places.formUnion(files(with: part, in: folder))
                Thread.sleep(forTimeInterval: 0.003)
            } while !ended.isSo
            answer.yield(places)
            answer.finish()
        }
        do {
            try await body()
        } catch {
            ended.set()
            throw error
        }
        ended.set()
        return await watch.reduce(into: Set<String>()) { $0.formUnion($1) }
    }

    /// The numbers of all processes.
    private static func processes() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { $0.allSatisfy(\.isNumber) }
    }

    private static func places(of secrets: [String], in process: String) -> Set<String> {
        func isSecret(_ text: String) -> Bool { secrets.contains { text.contains($0) } }
        let folder = "/proc/\(process)"
        let program = self.program(in: folder)
        var places = Set(
            texts("\(folder)/environ").filter(isSecret).map { String($0.prefix { $0 != "=" }) })
        if texts("\(folder)/cmdline").contains(where: isSecret) { places.insert("words") }
        // What has become another program meanwhile is looked at again.
        guard !places.isEmpty, self.program(in: folder) == program else { return [] }
        return Set(places.map { "\($0) of \(program)" })
    }

    /// The name of what runs; for a moment a child bears that of a thread, and is dbtool still.
    private static func program(in folder: String) -> String {
        let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/exe")
        guard file?.hasSuffix("/dbtool") != true else { return "dbtool" }
        return texts("\(folder)/comm").first?.split(separator: "\n").first.map(String.init) ?? "?"
    }

    private static func files(with part: String, in folder: String) -> Set<String> {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
        return Set(
            (names ?? []).map { "\(folder)/\($0)" }.filter { path in
                texts(path).contains { $0.contains(part) }
            })
    }

    /// What is between the zero bytes of a file; nothing, where it cannot be read or is gone.
    private static func texts(_ path: String) -> [String] {
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(file, &buffer, buffer.count), count > 0 {
            bytes += buffer[..<count]
        }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A way to give dbtool a password, and what is run by it.
struct PasswordWay {
    var variables: [String: String] = [:]
    /// A file that is there as long as it is tried.
    var file: (path: String, text: String)?
    /// Where the password shows because it was given there.
    var places: Set<String> = []
    let runs: [[String]]

    /// Expects that a password is seen where it was given and by the programs that need it, that nobody says it, and that no
    /// file holds it.
    ///
    /// `folder`: The test's own, with `repository` and `state` in it. `run`: Runs dbtool.
    /// - Returns: Where it was seen.
    @discardableResult
    func expectSecrecy(
        of secrets: [String], part: String, in folder: String,
        _ run: (_ words: [String], _ variables: [String: String]) async throws -> ProgramEnd
    ) async throws -> Set<String> {
        let temporary = "\(folder)/temporary"
        try FileManager.default.createDirectory(
            atPath: temporary, withIntermediateDirectories: true)
        if let file {
            try Data(file.text.utf8).write(to: URL(fileURLWithPath: file.path))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: file.path)
        }
        // The folder goes with everything in it.
        defer { if let file { try? FileManager.default.removeItem(atPath: file.path) } }
        var ends: [ProgramEnd] = []
        let seen = try await SecretWatch.places(of: secrets, part: part, inFilesOf: temporary) {
            for words in runs {
                ends.append(try await run(words, variables.merging(["TMPDIR": temporary]) { $1 }))
            }
        }
        let needed: Set = ["PGPASSWORD of pg_dump", "PGPASSWORD of pg_restore"]
        #expect(seen.subtracting(places).subtracting(needed) == [], "\(runs)")
        // Whoever sees nothing has not looked.
        #expect(places.subtracting(seen) == [], "\(runs)")
        for end in ends {
            #expect(end.code == 0, "\(end)")
            #expect(!end.output.contains(part) && !end.errors.contains(part), "\(end)")
        }
        let search = try await Program.run(
            "/usr/bin/grep", ["-rlF", "-e", part, "repository", "state", "temporary"],
            environment: [:], folder: folder)
        #expect(search.code == 1, "\(search)")
        return seen
    }
}
