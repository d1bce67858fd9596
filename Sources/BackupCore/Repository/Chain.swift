/// A point with everything that it rests on.
public struct Chain: Sendable {
    /// The point, then the backup that it was compared with, and so on to the full, which is last.
    public let links: [Point]

    /// What can be restored.
    public var point: Point { links[0] }

    /// The full at the root.
    public var base: Point { links[links.count - 1] }

    /// What must be read for a table as of the point, the newest first; the last one holds all rows.
    ///
    /// - Throws: `BackupError.damaged` when a link says what its parent contradicts.
    func layers(of record: TableRecord) throws -> [TableLayer] {
        var layers: [TableLayer] = []
        for link in links {
            guard let found = link.metadata.tables[record.tableName], found.mode != .dropped
            else { break }
            guard found.header == record.header, found.key == record.key || found.mode == .whole
            else { throw contradiction(link, record) }
            switch found.mode {
            case .unchanged: continue
            case .changes: layers.append(TableLayer(point: link, record: found))
            case .whole: return layers + [TableLayer(point: link, record: found)]
            case .dropped: break
            }
        }
        throw BackupError(
            .damaged, "\(point.id) holds changes of \(record.tableName), and no backup its rows",
            hint: Self.hint)
    }

    private func contradiction(_ link: Point, _ record: TableRecord) -> BackupError {
        BackupError(
            .damaged, "\(link.id) has other columns of \(record.tableName) than \(point.id)",
            hint: Self.hint)
    }

    static let hint = "Run \"dbtool verify\" on this backup to list every damaged file."
}

/// What one backup of a chain holds of a table.
struct TableLayer: Sendable {
    let point: Point
    let record: TableRecord
}

extension RepositoryContents {
    /// A point with everything that it rests on.
    ///
    /// - Throws: `BackupError.damaged` naming the link that is missing or not what it was.
    public func chain(of point: Point) throws -> Chain {
        var links = [point]
        var seen: Set<BackupID> = [point.id]
        while let link = try parent(of: links[links.count - 1]) {
            guard seen.insert(link.id).inserted else {
                throw Self.isMissing(link.id.text, below: links[links.count - 1])
            }
            links.append(link)
        }
        try checkBase(links[links.count - 1], of: point)
        return Chain(links: links)
    }

    /// The points that cannot be read, because something that they rest on is missing or not what it was.
    public func brokenPoints() -> Set<BackupID> {
        // Where each chain ends; nil where it is broken. Each link is looked at once.
        var ends: [BackupID: BackupID?] = [:]
        for point in points where ends[point.id] == nil {
            var path: [BackupID] = []
            var next: Point? = point
            while let link = next, ends[link.id] == nil {
                // Until it is known; whoever comes back here goes round in a circle.
                ends[link.id] = .some(nil)
                path.append(link.id)
                do {
                    next = try parent(of: link)
                    if next == nil { ends[link.id] = link.id }
                } catch {
                    next = nil
                }
            }
            let end = (next?.id ?? path.last).flatMap { ends[$0] ?? nil }
            for link in path { ends[link] = end }
        }
        return Set(
            points.filter { point in
                let base = (ends[point.id] ?? nil).flatMap { self.point(id: $0.text) }
                return base.map { (try? checkBase($0, of: point)) == nil } ?? true
            }.map(\.id))
    }

    /// What a point was compared with; nil for a full.
    private func parent(of child: Point) throws -> Point? {
        guard let parent = child.metadata.parentID else { return nil }
        guard let link = point(id: parent) else { throw Self.isMissing(parent, below: child) }
        guard link.digest == child.metadata.parentSHA256 else {
            throw BackupError(
                .damaged, "\(parent) is not the backup that \(child.id) was compared with",
                hint: "Its metadata.json has changed since.")
        }
        guard link.metadata.hashSeed == child.metadata.hashSeed else {
            throw BackupError(.damaged, "\(child.id) and \(parent) have different hash seeds")
        }
        return link
    }

    private func checkBase(_ base: Point, of point: Point) throws {
        guard base.metadata.type == .full, point.metadata.baseID ?? base.id.text == base.id.text
        else {
            throw BackupError(.damaged, "\(point.id) does not rest on a full backup")
        }
    }

    private static func isMissing(_ parent: String, below child: Point) -> BackupError {
        BackupError(
            .damaged, "\(child.id) rests on \(parent), which is not there",
            hint: "Put that backup back into the repository, or use an older point.")
    }

    /// The point that somebody names, with everything that it rests on.
    ///
    /// - Throws: What `point(named:database:engine:)` and `chain(of:)` throw.
    public func chain(
        named name: String, database: String? = nil, engine: String? = nil
    ) throws -> Chain {
        try chain(of: point(named: name, database: database, engine: engine))
    }
}
