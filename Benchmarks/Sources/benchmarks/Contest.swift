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
        case .addition(let pristine): try pristine.restore()
        case nil: break
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
            case .folder(let folder): Folder.bytes(of: Folder.files(under: folder))
            case .addition(let pristine): pristine.addedBytes
            case nil: nil
            }
        return measurement
    }
}

/// A folder as it was, so that each round finds the same.
final class Pristine {
    private let folder: String
    private var files: Set<String> = []

    init(_ folder: String) { self.folder = folder }

    /// This is how it shall be.
    func remember() { files = Folder.files(under: folder) }

    /// Removes what came since.
    func restore() throws {
        for file in added { try Folder.remove(file) }
    }

    var addedBytes: Int { Folder.bytes(of: added) }

    private var added: Set<String> { Folder.files(under: folder).subtracting(files) }
}

/// Files on the disk.
enum Folder {
    static func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    /// The paths of all files in a folder, hidden ones too.
    static func files(under folder: String) -> Set<String> {
        let names = FileManager.default.enumerator(atPath: folder)
        var files: Set<String> = []
        while let name = names?.nextObject() as? String {
            var isFolder: ObjCBool = false
            let path = "\(folder)/\(name)"
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            if !isFolder.boolValue { files.insert(path) }
        }
        return files
    }

    static func bytes(of files: Set<String>) -> Int {
        files.reduce(0) { sum, file in
            // What is gone meanwhile has no size.
            let facts = try? FileManager.default.attributesOfItem(atPath: file)
            return sum + (facts?[.size] as? Int ?? 0)
        }
    }
}
