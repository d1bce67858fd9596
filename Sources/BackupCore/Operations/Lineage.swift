/// What a new backup rests on: decided from what lies in the repository alone.
struct Lineage: Sendable {
    /// The chain, or why there is none.
    enum Choice: Sendable {
        case full(String?)
        case layer(Chain, number: Int)
    }

    let request: BackupRequest
    /// The product that is read: nothing is compared with what another one wrote.
    let engine: String
    let contents: RepositoryContents
    let database: String

    /// The full that a differential of the database rests on; nil when there is none.
    ///
    /// - Throws: `BackupError.usage` when the one that was named cannot be.
    func base() throws -> Point? {
        if let name = request.base {
            let named = try chain(named: name)
            guard named.point.metadata.type == .full else {
                throw BackupError(
                    .usage, "\(named.point.id) is no full backup",
                    hint: "It rests on \(named.base.id): name that one.")
            }
            let point = named.base
            guard point.metadata.database.isExactly(database) else {
                throw BackupError(
                    .usage, "\(point.id) is a backup of \(point.metadata.database), not \(database)"
                )
            }
            guard point.metadata.engine == engine else {
                throw BackupError(
                    .usage, "\(point.id) is a backup of \(point.metadata.engine), not \(engine)")
            }
            return point
        }
        return newestFull(of: .database) ?? newestFull
    }

    /// A base that is not there is named wrongly, as that of another database is.
    private func chain(named name: String) throws -> Chain {
        do {
            return try contents.chain(named: name, database: database, engine: engine)
        } catch let error as BackupError where error.code == .notFound {
            var failure = error
            failure.code = .usage
            throw failure
        }
    }

    /// An older full that left nothing out, where a base did.
    func wholeFull(before base: Point) -> Point? {
        guard request.base == nil, base.metadata.excludedPatterns?.isEmpty == false else {
            return nil
        }
        return fulls.last {
            $0.metadata.scope == Scope.database.word
                && $0.metadata.excludedPatterns?.isEmpty ?? true
        }
    }

    /// The newest full, whatever its scope.
    var newestFull: Point? { fulls.last }

    /// The newest full that knows everything which a scope asks for.
    func newestFull(of scope: Scope) -> Point? {
        scope == .database
            ? fulls.last { $0.metadata.scope == Scope.database.word } : newestFull
    }

    /// Those of the database that hold what they were asked for.
    private var fulls: [Point] { fullsOfAllEngines.filter { $0.metadata.engine == engine } }

    private var fullsOfAllEngines: [Point] {
        contents.points.filter {
            $0.metadata.type == .full && $0.metadata.status == .completed
                && $0.metadata.database.isExactly(database)
        }
    }

    private var nothingToRestOn: String {
        let engines = Set(fullsOfAllEngines.map(\.metadata.engine)).sorted()
        guard !engines.isEmpty else { return "there is no full backup of \(database) yet" }
        let others = engines.joined(separator: ", ")
        return "all full backups of \(database) are of \(others), not \(engine)"
    }

    func choice(now: Timestamp) throws -> Choice {
        guard request.kind != .full else { return .full(nil) }
        guard let base = try base() else {
            return .full(try reason(forFull: nothingToRestOn))
        }
        let layers = contents.points.filter {
            $0.metadata.baseID?.isExactly(base.id.text) == true
        }
        let broken = contents.brokenPoints()
        let newest = layers.last { $0.metadata.status == .completed && !broken.contains($0.id) }
        let parent = request.kind == .incremental ? newest ?? base : base
        let chain = try contents.chain(of: parent)
        // What the last differential holds, this one will hold as well.
        let last =
            request.kind == .differential
            ? layers.last { $0.id.kind == .differential && !broken.contains($0.id) } : nil
        let links = try last.map { try contents.chain(of: $0).links } ?? chain.links
        if let end = request.chainRule.end(of: base, layers: layers, links: links, now: now) {
            return .full(try reason(forFull: end))
        }
        return .layer(chain, number: Self.number(after: [base] + layers))
    }

    /// Layers that have been removed count too, as far as a later one tells; so do those that a merged full was made of.
    private static func number(after points: [Point]) -> Int {
        let known = points.compactMap(\.metadata.chainNumber).filter { $0 < .max }
        return max(points.count - 1, known.max() ?? 0) + 1
    }

    /// The same reason, where a full may be made.
    ///
    /// - Throws: `BackupError.usage` where it is refused.
    func reason(forFull reason: String) throws -> String {
        guard !request.refusesFull else {
            throw BackupError(
                .usage, "a full backup is needed, and --no-full refuses it: \(reason)",
                hint: "Run \"dbtool full database\" first.")
        }
        return reason
    }
}
