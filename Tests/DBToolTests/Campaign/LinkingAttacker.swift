import BackupTesting
import Foundation
import Synchronization

/// Somebody who may write in some folders, and puts links to what is outside in the place of whatever has a name there, as fast as
/// that goes, and mostly takes them away again: who looks before and after sees nothing.
final class LinkingAttacker: Sendable {
    private let folders: [String]
    private let outside: Outside
    /// Where things are while a link has their name; on the same disk.
    private let aside: String
    /// What was there before: what is new is being written, and more worth an attack.
    private let known: Set<String>
    private let isEnded = Atomic(false)
    private let swapped = Atomic(0)
    private let threads = DispatchGroup()

    /// How many names have led outside.
    var swaps: Int { swapped.load(ordering: .relaxed) }

    /// Begins with what lies in these folders, which stay themselves.
    init(
        in folders: [String], luringTo outside: Outside, aside: String,
        _ random: inout SeededGenerator
    ) throws {
        let folders = folders.map(Self.real)
        (self.folders, self.outside, self.aside) = (folders, outside, aside)
        known = Set(Self.paths(in: folders))
        // It is not there the first time.
        try? FileManager.default.removeItem(atPath: aside)
        try FileManager.default.createDirectory(
            atPath: aside, withIntermediateDirectories: true)
        let own = SeededGenerator(seed: random.next())
        threads.enter()
        Thread.detachNewThread {
            self.attack(own)
            self.threads.leave()
        }
    }

    /// Ends it.
    func stop() {
        isEnded.store(true, ordering: .relaxed)
        threads.wait()
    }

    private func attack(_ seeded: SeededGenerator) {
        var random = seeded
        var number = 0
        while !isEnded.load(ordering: .relaxed) {
            let all = Self.paths(in: folders)
            let fresh = all.filter { !known.contains($0) }
            // The list is old soon, and long to make.
            for _ in 0..<20 {
                let some = fresh.isEmpty || Int.random(in: 0..<4, using: &random) == 0 ? all : fresh
                guard let path = some.randomElement(using: &random) else { break }
                number += 1
                swap(path, "\(aside)/\(number)", &random)
            }
        }
    }

    private func swap(_ path: String, _ place: String, _ random: inout SeededGenerator) {
        // Behind a link that has stayed lies what is outside, and what happens there is to be of the run's doing.
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard Self.real(parent) == parent else { return }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        // It may be gone by now, or be something else.
        guard rename(path, place) == 0 else { return }
        if symlink(isFolder ? outside.folder : outside.file, path) == 0 {
            _ = swapped.add(1, ordering: .relaxed)
        }
        // A link that stays ends most runs at once.
        guard Int.random(in: 0..<100, using: &random) > 0 else { return }
        usleep(UInt32.random(in: 0...300, using: &random))
        // What a link has lost its name to stays: only our own is taken away.
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { unlink(path) }
        rename(place, path)
    }

    /// Where links lead to; the path itself where nothing is.
    private static func real(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func paths(in folders: [String]) -> [String] {
        folders.flatMap { folder in
            let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
            return (names ?? []).map { "\(folder)/\($0)" }
        }
    }
}
