/// Proves a backup's files: checksums, the rows and fingerprints computed again from the CSV, and the archive of a full.
public struct Verify: Sendable {
    private let repository: Repository
    private let jobs: Int

    /// `jobs`: How many files are read side by side; at least 1.
    public init(repository: Repository, jobs: Int = 2) {
        self.repository = repository
        self.jobs = max(1, jobs)
    }

    /// Reads everything that the point and what it rests on consist of, finds everything that is
    /// wrong, and remembers the result where it can.
    ///
    /// - Throws: `BackupError` when the backup cannot be read at all.
    public func run(_ chain: Chain, progress: OperationProgress) async throws -> VerifyReport {
        let start = ContinuousClock.now
        let (damage, archives, added) = try await damage(in: chain, progress)
        let seconds = start.duration(to: .now).seconds
        let report = VerifyReport(
            point: chain.point, damage: (damage + archives).sorted(), warnings: added.sorted(),
            seconds: seconds)
        await repository.changeState(of: chain.point, orNote: progress.note) {
            // Whoever restores, or builds on it, needs no archive.
            $0.verified = BackupState.Proof(
                at: .now, passed: damage.isEmpty, seconds: report.seconds)
        }
        return report
    }

    /// What is wrong with files of the chain, and with archives beside them; and the files that are none of its own, which nobody reads.
    private func damage(
        in chain: Chain, _ progress: OperationProgress
    ) async throws -> (files: [String], archives: [String], added: [String]) {
        let metadata = chain.point.metadata
        var (damage, archives, added) = ([String](), [String](), [String]())
        // What is wrong with one thing keeps nobody from looking at the next.
        func finding<Result>(_ body: () async throws -> Result) async throws -> Result? {
            do {
                return try await body()
            } catch let error as BackupError where error.code == .damaged {
                damage.append(error.message)
                return nil
            }
        }
        var tables: [(TableRecord, [TableLayer])] = []
        for record in metadata.currentTables {
            guard let layers = try await finding({ try chain.layers(of: record) }) else { continue }
            tables.append((record, layers))
        }
        progress.begin("checking files")
        var checksums: [BackupID: Checksums] = [:]
        for link in chain.links {
            if !link.metadata.agreesWithItself {
                damage.append("metadata of \(link.id) contradicts itself")
            }
            let sums = try await finding { try await Checksums(of: link, in: repository.storage) }
            guard let sums else { continue }
            checksums[link.id] = sums
            let read = tables.flatMap(\.1).filter { $0.point.id == link.id }
            let unlisted = Set(try await unlistedFiles(in: link.folder, of: link, sums))
            let missed = Set(requiredFiles(of: link).filter { sums[$0] == nil })
                .union(unlisted.intersection(RepositoryLayout.definition))
            damage += missed.map { Self.isUnlisted($0, in: link) }
            added += unlisted.subtracting(missed).map { Self.isUnlisted($0, in: link) }
            damage += try await damagedFiles(
                of: link, but: Set(read.flatMap(\.record.files)), sums, progress)
            do {
                let flaw = try await archiveDamage(of: link, sums, progress)
                archives += [flaw].compactMap(\.self)
            } catch let error as BackupError where error.code == .damaged {
                archives.append(error.message)
            }
        }
        progress.begin("verifying rows", totalBytes: metadata.csvBytes)
        let found = try await finding {
            try await damagedTables(of: chain, tables, checksums, progress)
        }
        return (damage + (found ?? []), archives, added)
    }

    private static func isUnlisted(_ file: String, in point: Point) -> String {
        "\(point.folder)/SHA256SUMS does not list \(file)"
    }

    /// Everything but the data files that `damagedTables` reads.
    private func damagedFiles(
        of point: Point, but dataFiles: Set<String>, _ checksums: Checksums,
        _ progress: OperationProgress
    ) async throws -> [String] {
        var damage: [String] = []
        for file in checksums.files where !dataFiles.contains(file) {
            let name = try point.folder.appending(file)
            guard try await repository.storage.entry(name) != nil else {
                damage.append("\(name) is missing")
                continue
            }
            let digest = try await repository.storage.digest(of: name) {
                progress.add(rows: 0, bytes: $0)
            }
            guard digest != checksums[file] else { continue }
            damage.append("checksum of \(name) differs from SHA256SUMS")
        }
        return damage
    }

    /// What is wrong with the archive of a full, where there is one: nothing needs it, and somebody may count on it.
    private func archiveDamage(
        of point: Point, _ checksums: Checksums, _ progress: OperationProgress
    ) async throws -> String? {
        let name = try RepositoryLayout.archive(of: point.id)
        guard point.metadata.type == .full, try await repository.storage.entry(name) != nil else {
            return nil
        }
        let proof = ArchiveProof(of: point.id, checksums)
        let flaw = try await repository.storage.read(name) { reader in
            try await proof.flaw(in: reader, progress)
        }
        return flaw.map { "\(name) is damaged: \($0)" }
    }

    /// What every backup has, so that a file is missed even when its line is gone too.
    private func requiredFiles(of point: Point) -> [String] {
        [RepositoryLayout.metadata, RepositoryLayout.schemaSQL]
            + (point.metadata.type == .full ? [RepositoryLayout.restoreGuide] : [])
            + (point.metadata.schemaDumpVersion == nil ? [] : [RepositoryLayout.schemaDump])
            + point.metadata.tables.flatMap { $0.files + [$0.indexFile].compactMap(\.self) }
    }

    /// Files that nothing proves: a line of `SHA256SUMS` is gone, or they are not the backup's.
    private func unlistedFiles(
        in folder: StorageName, of point: Point, _ checksums: Checksums
    ) async throws -> [String] {
        var unlisted: [String] = []
        for entry in try await repository.storage.list(folder) {
            let file = entry.name.components.dropFirst(point.folder.components.count)
                .joined(separator: "/")
            if entry.isFolder {
                guard file != RepositoryLayout.layers else { continue }
                unlisted += try await unlistedFiles(in: entry.name, of: point, checksums)
            } else if checksums[file] == nil, !RepositoryLayout.unproven.contains(file) {
                unlisted.append(file)
            }
        }
        return unlisted
    }

    private func damagedTables(
        of chain: Chain, _ tables: [(TableRecord, [TableLayer])],
        _ checksums: [BackupID: Checksums], _ progress: OperationProgress
    ) async throws -> [String] {
        let reader = try PointReader(chain, in: repository)
        return try await withThrowingTaskGroup(of: [String].self) { group in
            var all: [String] = []
            for (index, (record, layers)) in tables.enumerated() {
                if index >= jobs { all += try await group.next() ?? [] }
                group.addTask {
                    try await disagreements(in: layers, checksums)
                        + damage(in: record, layers, reader, progress)
                }
            }
            for try await found in group { all += found }
            return Array(Set(all))
        }
    }

    private func disagreements(
        in layers: [TableLayer], _ checksums: [BackupID: Checksums]
    ) -> [String] {
        layers.flatMap { layer in
            // A list that cannot be read is named already.
            guard let sums = checksums[layer.point.id] else { return [String]() }
            return layer.record.provenFiles.filter { $1 == nil || sums[$0] != $1 }.map {
                "SHA256SUMS and metadata of \(layer.point.id) disagree about \($0.file)"
            }
        }
    }

    private func damage(
        in record: TableRecord, _ layers: [TableLayer], _ reader: PointReader,
        _ progress: OperationProgress
    ) async throws -> [String] {
        do {
            try await reader.withRows(of: record, proving: .rowsAndBytes) { rows in
                while let batch = try await rows.next() {
                    try Task.checkCancellation()
                    progress.add(rows: batch.count, bytes: batch.bytes.count)
                }
            }
            return []
        } catch let error as BackupError where error.code == .damaged {
            // Reading ends with the first of the table's files that is wrong; others may be, too.
            let others = try await reader.damage(in: layers).filter { name, _ in
                !error.message.contains("\(name)")
            }
            return [error.message] + others.values
        }
    }
}

/// What a verification found.
public struct VerifyReport: Sendable {
    /// What was verified.
    public let point: Point
    /// Every file that is missing or not what was written, and why.
    public let damage: [String]
    /// Files in the backup's folder that are none of its own: they prove nothing against it.
    public let warnings: [String]
    /// How long it took.
    public let seconds: Double

    /// Whether everything is as it was written.
    public var passed: Bool { damage.isEmpty }
}
