import Foundation

/// Programs that do the same work, or work that is worth comparing.
struct Contest {
    /// One of them: what it runs, and what must be gone before.
    struct Contestant {
        let name: String
        let programs: [MeasuredProgram]
        /// What it writes: it is removed before, and measured afterwards.
        var written: Written?
        var staleDatabase: String?
        /// Whether the others' wall times are divided by this one's.
        var isReference = false
        /// How much of the reference's wall time it may take.
        var target: Double?
    }

    /// What a contestant writes.
    enum Written {
        case folder(String)
        /// Whatever comes to a folder that was there when the contest was prepared.
        case addition(Pristine)
    }

    /// One that could not run here, and why.
    struct Absentee: Encodable {
        let name: String
        let reason: String
    }

    let name: String
    let contestants: [Contestant]
    var absentees: [Absentee] = []
    /// What must be there; done once, before the first round.
    var prepare: () throws -> Void = {}

    /// Runs everybody once, in turns: who is first in one round is last in the next.
    ///
    /// - Returns: What each took, in the order of `contestants`.
    func run(round: Int, on server: Server) throws -> [Measurement] {
        var measurements = contestants.map { _ in Measurement() }
        let order = Array(contestants.indices)
        for index in round.isMultiple(of: 2) ? order : order.reversed() {
            measurements[index] = try Self.measure(contestants[index], on: server)
        }
        return measurements
    }

    private static func measure(
        _ contestant: Contestant, on server: Server
    ) throws -> Measurement {
        switch contestant.written {
        case .folder(let folder): try Folder.remove(folder)
        case .addition, nil: break
        }
        if let database = contestant.staleDatabase {
            try server.psql("DROP DATABASE IF EXISTS \(database)")
        }
        try server.settle()
        let before = try server.processorSeconds()
        var measurement = try contestant.programs.reduce(Measurement()) { sum, program in
            sum + (try program.run(log: "\(server.scratch)/program.log"))
        }
        measurement.serverSeconds = try server.processorSeconds() - before
        measurement.writtenBytes =
            switch contestant.written {
            case .folder(let folder): Folder.bytes(of: Folder.things(under: folder))
            case .addition(let pristine): try pristine.restore()
            case nil: nil
            }
        return measurement
    }
}

/// A folder as it was, so that each round finds the same.
final class Pristine {
    private let folder: String
    private var things: Set<String> = []

    init(_ folder: String) { self.folder = folder }

    /// This is how it shall be.
    func remember() { things = Folder.things(under: folder) }

    /// Removes what came since; how many bytes it had.
    func restore() throws -> Int {
        let added = Folder.things(under: folder).subtracting(things)
        let bytes = Folder.bytes(of: added)
        for thing in added { try Folder.remove(thing) }
        return bytes
    }
}

/// Files on the disk.
enum Folder {
    /// Removes a folder or a file, if it is there.
    ///
    /// One of very many files is only put aside: ext4 passes over what was deleted in the last minutes one by
    /// one when it looks for room for new files, and that would be measured with whoever comes next.
    static func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard things(under: path).count > 500 else {
            return try FileManager.default.removeItem(atPath: path)
        }
        let aside = FileManager.default.currentDirectoryPath + "/aside"
        try FileManager.default.createDirectory(
            atPath: aside, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: path, toPath: "\(aside)/\(UUID().uuidString)")
    }

    /// The paths of all files and folders in a folder, hidden ones too.
    static func things(under folder: String) -> Set<String> {
        let names = FileManager.default.enumerator(atPath: folder)
        var things: Set<String> = []
        while let name = names?.nextObject() as? String { things.insert("\(folder)/\(name)") }
        return things
    }

    /// The bytes of those of them that are files.
    static func bytes(of things: Set<String>) -> Int {
        things.reduce(0) { sum, thing in
            // What is gone meanwhile has no size.
            let facts = try? FileManager.default.attributesOfItem(atPath: thing)
            let isFile = facts?[.type] as? FileAttributeType == .typeRegular
            return sum + (isFile ? facts?[.size] as? Int ?? 0 : 0)
        }
    }
}
