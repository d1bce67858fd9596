import Foundation

/// Programs that do the same work.
struct Contest {
    /// One of them: what it runs, and what must be gone before.
    struct Contestant {
        let name: String
        let programs: [MeasuredProgram]
        var staleFolder: String?
        var staleDatabase: String?
    }

    /// One that could not run here, and why.
    struct Absentee: Encodable {
        let name: String
        let reason: String
    }

    let name: String
    /// dbtool first, what it is compared with after it; nothing after it where nothing compares.
    let contestants: [Contestant]
    var absentees: [Absentee] = []

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
        if let folder = contestant.staleFolder, FileManager.default.fileExists(atPath: folder) {
            try FileManager.default.removeItem(atPath: folder)
        }
        if let database = contestant.staleDatabase {
            try server.psql("DROP DATABASE IF EXISTS \(database)")
        }
        try server.settle()
        var measurement = try contestant.programs.reduce(Measurement()) { sum, program in
            sum + (try program.run(log: "\(server.scratch)/program.log"))
        }
        measurement.folderBytes = contestant.staleFolder.map(bytes(under:))
        return measurement
    }

    /// The sizes of all files in a folder.
    private static func bytes(under folder: String) -> Int {
        let files = FileManager.default.enumerator(
            at: URL(filePath: folder), includingPropertiesForKeys: [.fileSizeKey])
        var sum = 0
        while let file = files?.nextObject() as? URL {
            // What is no file has no size.
            sum += (try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0
        }
        return sum
    }
}
