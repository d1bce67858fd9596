/// What lies in a repository.
public struct RepositoryContents: Sendable {
    /// Every backup, in order of snapshot time.
    public var points: [Point] = [] {
        didSet {
            places = Dictionary(points.enumerated().map { (ExactText($1.id.text), $0) }) { one, _ in
                one
            }
        }
    }
    /// Where each is among them.
    private var places: [ExactText: Int] = [:]
    /// Folders that look like backups and have no `metadata.json`: runs that go on, or were cut off.
    public var unfinished: [PointFolder] = []
    /// Backups whose `metadata.json` cannot be read, and why.
    public var unreadable: [(folder: PointFolder, error: BackupError)] = []
}

extension RepositoryContents {
    /// The point of exactly that name.
    public func point(id: String) -> Point? { places[ExactText(id)].map { points[$0] } }

    /// The point that somebody names: an id, a unique prefix, its four hex digits, `latest`, a time.
    ///
    /// `database`: Whose backup `latest` and times mean; needed when the repository holds
    ///   several databases. Of several that are abbreviated alike its own is meant.
    /// `engine`: By which product, where several have backed up a database of that name.
    /// - Returns: The point; an incomplete backup only when it is named.
    /// - Throws: `BackupError.notFound`; `BackupError.usage` when several points fit;
    ///   what makes a named backup unreadable.
    public func point(
        named name: String, database: String? = nil, engine: String? = nil
    ) throws -> Point {
        if let exact = points.first(where: { $0.id.text == name }) { return exact }
        if let broken = unreadable.first(where: { Self.isName(name, of: $0.folder.name) }) {
            throw broken.error
        }
        if name.lowercased() == "latest" {
            let latest = try points(of: database, engine: engine).last
            try checkReadable(after: latest, of: database)
            guard let latest else { throw nothing(of: database) }
            return latest
        }
        // What is shown of a backup's time is cut to seconds.
        if let time = Timestamp(endOf: name) {
            let completed = try points(of: database, engine: engine)
            let last = completed.last { $0.metadata.snapshotAt <= time }
            try checkReadable(after: last, until: time, of: database)
            guard let point = last else {
                guard let oldest = completed.first else { throw nothing(of: database) }
                throw BackupError(
                    .notFound, "no completed backup is as old as \(name)",
                    hint: "The oldest is \(oldest.id), of \(oldest.metadata.snapshotAt.text).")
            }
            return point
        }
        return try point(abbreviated: name, of: database, engine)
    }

    /// What is meant by a time may be one that cannot be read: an older one in its place would go unnoticed.
    ///
    /// - Throws: `BackupError.damaged`, or whatever makes it unreadable.
    private func checkReadable(
        after point: Point?, until time: Timestamp? = nil, of database: String?
    ) throws {
        let name = (database ?? point?.metadata.database).map(FileNaming.encoded)
        // A merged full has the time of its point, and a name of its own.
        let bound = point.map {
            ($0.metadata.mergedFrom ?? []).isEmpty ? $0.id.tail : $0.metadata.snapshotAt.compact
        }
        let found = unreadable.filter { folder, _ in
            (name.map { folder.base.encodedDatabase == $0 } ?? true)
                && (bound.map { folder.startTail > $0 } ?? true)
                && (time.map { folder.startTail <= $0.compact } ?? true)
        }.max { $0.folder.startTail < $1.folder.startTail }
        guard let (folder, error) = found else { return }
        throw BackupError(
            error.code,
            "\(folder.name) cannot be read, and may be the one that is meant: \(error.message)",
            hint: point.map { "Name another one: \($0.id) is the newest before it." } ?? error.hint)
    }

    /// Whether a backup of that name lies in a folder, as far as the folder's own name tells.
    private static func isName(_ name: String, of folder: String) -> Bool {
        guard folder.contains("/") else { return folder == name }
        return folder == name
            || BackupID(name).map { folder.hasSuffix("/\(RepositoryLayout.layers)/\($0.tail)") }
                ?? false
    }

    /// The completed points of one database, the oldest first.
    ///
    /// `engine`: By which product. It means nothing where only one has made such backups.
    /// - Throws: `BackupError.usage` when the repository holds several databases and none is named, or backups by several
    ///   products and none of these is.
    public func points(of database: String?, engine: String? = nil) throws -> [Point] {
        let completed = points.filter {
            $0.metadata.status == .completed
                && (database.map($0.metadata.database.isExactly) ?? true)
        }
        try requireOneDatabase(among: completed)
        let engines = Set(completed.map(\.metadata.engine)).sorted()
        guard engines.count > 1 else { return completed }
        guard let engine, engines.contains(engine) else {
            throw BackupError(
                .usage, "backups of that database are of several products",
                hint: "Choose one with --db: \(engines.joined(separator: ", ")).")
        }
        return completed.filter { $0.metadata.engine == engine }
    }

    /// The database that all completed points are of.
    ///
    /// - Throws: `BackupError.usage` when there are several; `BackupError.notFound` when there is none.
    public func onlyDatabase() throws -> String {
        let completed = points.filter { $0.metadata.status == .completed }
        try requireOneDatabase(among: completed)
        guard let point = completed.first else { throw nothing(of: nil) }
        return point.metadata.database
    }

    /// What is of one database alone.
    public func only(of database: String) -> RepositoryContents {
        let encoded = FileNaming.encoded(database)
        var contents = self
        contents.points.removeAll { !$0.metadata.database.isExactly(database) }
        contents.unfinished.removeAll { $0.base.encodedDatabase != encoded }
        contents.unreadable.removeAll { $0.folder.base.encodedDatabase != encoded }
        return contents
    }

    /// - Throws: `BackupError.notFound` with the nearest names, where there are backups and none is of that database.
    func requireBackups(of database: String) throws {
        let databases = Set(points.map { ExactText($0.metadata.database) })
        // Whose those are that cannot be read, or were cut off, the names of their folders tell.
        let encoded = FileNaming.encoded(database)
        guard !databases.isEmpty, !databases.contains(ExactText(database)),
            !unreadable.contains(where: { $0.folder.base.encodedDatabase == encoded }),
            !unfinished.contains(where: { $0.base.encodedDatabase == encoded })
        else { return }
        throw BackupError(
            .notFound, "the repository holds no backup of database \(database)",
            hint: Nearest.hint(to: database, among: Set(points.map(\.metadata.database)))
                ?? contentsHint)
    }

    /// What a name may mean, whether it can be read or not.
    private struct Candidate {
        let name: String
        let encodedDatabase: String
        let found: Result<Point, BackupError>

        /// Whether it may be of that product.
        func mayBe(of engine: String) -> Bool {
            (try? found.get()).map { $0.metadata.engine == engine } ?? true
        }
    }

    /// An older backup in place of one that cannot be read would go unnoticed, and so would another database's.
    private func point(
        abbreviated name: String, of database: String?, _ engine: String?
    ) throws -> Point {
        let all = candidates(abbreviated: name)
        let encoded = database.map(FileNaming.encoded)
        let own = all.filter { $0.encodedDatabase == encoded }
        let named = own.isEmpty ? all : own
        let made = engine.map { engine in named.filter { $0.mayBe(of: engine) } } ?? []
        let matches = made.isEmpty ? named : made
        guard let match = matches.first, !name.isEmpty else { throw unknown(name) }
        guard matches.count == 1 else {
            throw BackupError(
                .usage, "\(matches.count) backups are called \(name)",
                hint: "Meant is one of: \(matches.map(\.name).joined(separator: ", ")).")
        }
        let isSpelled = BackupKind.allCases.contains {
            name.hasPrefix("\($0.rawValue)_\(match.encodedDatabase)")
        }
        if let database, own.isEmpty, !isSpelled {
            throw BackupError(
                .usage, "\(name) is \(match.name), which is no backup of \(database)",
                hint: "If it is meant, write its whole name, or name its database with --database.")
        }
        return try match.found.get()
    }

    private func candidates(abbreviated name: String) -> [Candidate] {
        func isMeant(_ id: String) -> Bool { id.hasPrefix(name) || id.suffix(4) == name }
        let whole = points.filter { isMeant($0.id.text) }.map {
            Candidate(
                name: $0.id.text, encodedDatabase: $0.id.encodedDatabase, found: .success($0))
        }
        let broken = unreadable.filter { $0.folder.possibleIDs.contains(where: isMeant) }.map {
            Candidate(
                name: $0.folder.name, encodedDatabase: $0.folder.base.encodedDatabase,
                found: .failure($0.error))
        }
        return whole + broken
    }

    private func requireOneDatabase(among points: [Point]) throws {
        let databases = Set(points.map(\.metadata.database)).sorted()
        guard Set(points.map { ExactText($0.metadata.database) }).count <= 1 else {
            throw BackupError(
                .usage, "the repository holds backups of several databases",
                hint: "Choose one with --database: \(databases.joined(separator: ", ")).")
        }
    }

    private func nothing(of database: String?) -> BackupError {
        let whose = database.map { " of database \($0)" } ?? ""
        return BackupError(
            .notFound, "the repository holds no completed backup\(whose)", hint: contentsHint)
    }

    private func unknown(_ name: String) -> BackupError {
        if unfinished.contains(where: { Self.isName(name, of: $0.name) }) {
            return BackupError(
                .notFound, "\(name) is not finished: it is still being made, or was interrupted",
                hint: "The next backup of its database removes what an interrupted one has left.")
        }
        let near = names(like: name)
        return BackupError(
            .notFound, "no backup is called \(name)",
            hint: near.isEmpty ? contentsHint : "Nearest: \(near.joined(separator: ", ")).")
    }

    /// What might have been meant: an id may be cut off, so that only as much of it is compared.
    private func names(like name: String) -> [String] {
        let ids = points.reversed().map(\.id.text)
        let whole = Nearest.names(to: name, among: ["latest"] + ids)
        guard whole.isEmpty, name.count >= 4 else { return whole }
        return Array(
            ids.filter { !Nearest.names(to: name, among: [String($0.prefix(name.count))]).isEmpty }
                .prefix(3))
    }

    private var contentsHint: String {
        let databases = Set(points.map(\.metadata.database)).sorted()
        guard !databases.isEmpty else { return "The repository holds no backup at all." }
        return
            "The repository holds backups of \(databases.joined(separator: ", ")): see \"dbtool list\"."
    }
}
