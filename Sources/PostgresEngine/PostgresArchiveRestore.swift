import BackupCore

/// Makes the structure of a backup with pg_restore: before the rows, after them, and last of all.
struct PostgresArchiveRestore: Sendable {
    /// Kinds that are made last: they would hide rows, or run while things are made.
    private static let lastKinds = ["POLICY", "ROW SECURITY", "EVENT TRIGGER"]
    /// What sessions of this program's pg_restore call themselves, or how that begins.
    static let sessionName = "dbtool pg_restore"

    let archive: PostgresArchive
    private let dump: [UInt8]
    private let programs: PostgresPrograms
    let request: TargetRequest
    /// How pg_restore reaches the target; set before anything is made.
    var login = PostgresProgramLogin(database: "")
    /// Settings of the server for its sessions, as `name=value`, which it needs besides.
    var settings: [String] = []
    /// What follows how much is made.
    var watch: PostgresBuildWatch?
    /// What is made; nothing before the plan is known.
    var plan = PostgresPlan()
    /// What an interrupted restore has made already.
    var made: Set<Int> = []
    /// Whether grants and revocations on tables and sequences wait for what these hold, which their owner may not add
    /// where that was revoked, and those that take something from owners for what is made and checked with it.
    ///
    /// A superuser may always, and learns before any row what cannot be granted. Nor does he have to become an owner.
    var givesPrivilegesLate = false
    /// What could not be made of it.
    let refusals = PostgresRefusals()
    /// Grants and revocations on schemas that take something from the schema's own owner.
    let closures: Set<Int>
    /// The same on whatever else.
    let withdrawals: Set<Int>
    /// Privileges of which others than the owner have granted some, and who these are.
    let grantors: [Int: [String]]
    /// Privileges that let others pass them on.
    let grantable: Set<Int>
    /// Whether owners grant what is theirs where others may pass it on, and not whoever may act for them.
    var actsForOwners = true
    /// Those of them that come without these, for whom the restoring role may not act.
    var withoutOthers: Set<Int> = []
    /// Whether the source lets not everybody make things in `public`, and the archive does not say so: since version 15
    /// that is how a database begins, and programs from then on write what is different from it.
    let closesPublicSchema: Bool
    /// What only superusers may make, whomever it belongs to.
    let forSuperusers: Set<Int>
    /// The columns of `NOT NULL` constraints that are made behind the rows.
    let columnsNotNull: [Int: String]

    init(
        _ dump: [UInt8], _ request: TargetRequest, programs: PostgresPrograms
    ) async throws {
        self.dump = dump
        self.programs = programs
        self.request = request
        let (list, script) = try await TemporaryFile.with(dump) { archive in
            (
                try await programs.render(["--list", "--verbose", archive]),
                try await programs.render(["--file=-", "--verbose", archive])
            )
        }
        var archive = PostgresArchive(list: String(decoding: list, as: UTF8.self))
        archive.addOwners(from: script)
        archive.addSignatures(from: script)
        archive.addTablesOfComments(from: script)
        if !request.isWhole { archive.addExtensionOfOverlaps(from: script) }
        self.archive = archive
        columnsNotNull = Self.columnsNotNull(in: script)
        let all = archive.entries(of: "ACL", among: Self.withdrawals(in: script))
        closures = all.filter {
            archive[$0]?.words.startsExactly(with: "ACL - SCHEMA ") ?? false
        }
        withdrawals = all.subtracting(closures)
        let grants = archive.entries(of: "ACL", among: archive.all)
        grantors = Self.grantors(in: script, among: grants)
        grantable = Self.grantable(in: script).intersection(grants)
        forSuperusers = Self.forSuperusers(in: script, of: archive)
        closesPublicSchema = Self.closesPublicSchema(
            in: script, list: list,
            grants.filter { id in
                archive[id]?.words.startsExactly(with: "ACL - SCHEMA public ") ?? false
            })
    }

    /// What is made after the rows, but for that.
    var afterRows: Set<Int> {
        chosen.subtracting(late).subtracting(closing).subtracting(plan.attachedAfterRows)
    }

    private var chosen: Set<Int> { plan.chosen.subtracting(made) }

    /// What hides rows or reacts to what is made.
    private var last: Set<Int> { archive.entries(ofKinds: Self.lastKinds, among: plan.chosen) }

    /// What is made when nothing else is left to do: before PostgreSQL 17 no setting keeps event triggers quiet that are
    /// enabled `ALWAYS`.
    ///
    /// Where it is expected that something cannot be made they come earlier, one by one.
    var eventTriggers: Set<Int> {
        guard !request.lacksTables, plan.renamed == nil else { return [] }
        return archive.entries(ofKinds: ["EVENT TRIGGER"], among: chosen)
    }

    /// What would be in the way before.
    var late: Set<Int> { last.union(privileges).union(lateComments) }

    var beforeRows: Set<Int> {
        plan.chosen.subtracting(plan.attachedAfterRows).subtracting(privileges).subtracting(closing)
            .subtracting(lateComments)
    }

    // MARK: As a script

    /// What pg_restore would run for some entries of some sections, all when none is named.
    func script(
        _ entries: Set<Int>, sections: [String], _ options: [String] = [], major: Int
    ) async throws -> PostgresScript {
        guard !entries.isEmpty else { return PostgresScript(text: "") }
        let passedOn = grantsOfOthers.intersection(entries)
        let options = options + (passedOn.isEmpty ? [] : ["--verbose"])
        let rendered = try await withFiles(entries) { archive, list in
            try await programs.render(
                ["--file=-", "--use-list=\(list)"] + sections.map { "--section=\($0)" } + omissions
                    + options + [archive])
        }
        let script = PostgresScript(rendered, major: major)
        guard !passedOn.isEmpty else { return script }
        return script.grantingAsMember(leavingOut: withoutOthers, as: owners(of: passedOn))
    }

    /// Everything that must be there before rows.
    func structure(major: Int) async throws -> PostgresScript {
        let first = openedSchemas(among: beforeRows)
        let rest = beforeRows.subtracting(first)
        return try await script(first, sections: [], major: major)
            .followed(by: grantsOnClosedSchemas(major: major))
            .followed(by: script(rest, sections: ["pre-data"], major: major))
    }

    /// The grants of some entries, but for those that wait; of what closes schemas what it grants.
    func grants(of things: Set<Int>, major: Int) async throws -> PostgresScript {
        let given = archive.entries(of: "ACL", among: plan.chosen).filter { id in
            archive[id].map { !things.isDisjoint(with: $0.dependencies) } ?? false
        }
        // A grant is in the section of whatever stands before it in the list.
        return try await script(
            given.subtracting(privileges).subtracting(closing), sections: [], major: major
        ).followed(by: grantsOnClosedSchemas(given.intersection(closing), major: major))
    }

    /// What has privileges and is made after the rows: views that need a primary key, and what needs these.
    func viewsAfterRows() async throws -> Set<Int> {
        let kinds = ["VIEW", "MATERIALIZED VIEW", "FUNCTION", "PROCEDURE", "AGGREGATE"]
        let candidates = archive.entries.filter {
            plan.chosen.contains($0.id) && kinds.contains($0.kind)
        }
        return try await listed(Set(candidates.map(\.id)), in: "post-data")
    }

    // MARK: By pg_restore

    /// Everything that must be there before rows, one by one, but for schemas that are opened.
    ///
    /// Gives what the backup does not hold the parts for.
    func createStructure() async throws -> [String] {
        let rest = beforeRows.subtracting(openedSchemas(among: beforeRows)).subtracting(made)
        return try await make(
            "create the structure", "pre-data", rest, failuresAreExpected: request.lacksTables)
    }

    /// Indexes, constraints, foreign keys, triggers and rules, side by side where they may be.
    ///
    /// `makePointers`: Makes what points to tables that were there before.
    /// Gives what the backup or the target does not hold the rows or tables for.
    func createIndexesAndConstraints(
        makePointers: (
            _ entries: Set<Int>, _ section: String, _ failuresAreExpected: Bool
        ) async throws -> [String]
    ) async throws -> [String] {
        let what = "create every index and constraint"
        // A comment is in the section of whatever stands before it in a list: it is looked for behind what it is about, and
        // nothing of another section is in the lists of what is made.
        let all = try await listed(plan.chosen, in: "post-data").intersection(afterRows)
        watch?.expect(all.union(plan.attachedAfterRows.subtracting(made)))
        let doubtfulKeys =
            request.lacksRows || request.lacksTables
            ? archive.entries(of: "FK CONSTRAINT", among: all) : plan.doubtful.intersection(all)
        let doubtful = archive.dependents(of: doubtfulKeys, among: all)
        let independent = archive.independent(among: all).subtracting(doubtful)
        let rest = all.subtracting(independent).subtracting(doubtful)
        // Side by side, two attachments can each miss that the other completes an index of the
        // whole, which the server then never takes for valid.
        let attachments = archive.entries(of: "INDEX ATTACH", among: independent)
        let keys = archive.entries(of: "FK CONSTRAINT", among: independent)
        // A failure is told apart from others only when one thing is made at a time.
        let jobs = request.lacksTables ? 1 : request.connections
        let lacks = request.lacksTables
        let notNulls = notNulls(among: independent)
        var problems = try await makeNotNulls(notNulls, what, failuresAreExpected: lacks)
        problems += try await make(
            what, "post-data",
            independent.subtracting(attachments).subtracting(keys).subtracting(notNulls),
            jobs: jobs, failuresAreExpected: lacks)
        // A part that has parts is attached with indexes that are whole: others are made beside those that are not. And those
        // of a part that is attached late by itself need that first.
        let strays = Set(plan.strayAttachments.compactMap { archive[$0].flatMap(archive.owner) })
        let ofStrays = archive.belongings(of: strays)
        let last = attachments.filter { pointsToKeptIndex($0) || ofStrays.contains($0) }
        problems += try await make(
            what, "post-data", attachments.subtracting(last), failuresAreExpected: lacks)
        problems += try await makePointers(
            plan.lateAttachments.subtracting(plan.strayAttachments).subtracting(made), "pre-data",
            false)
        problems += try await makePointers(
            plan.strayAttachments.subtracting(made), "pre-data", true)
        // What is there may have another index of that name, and parts that are attached to it already.
        problems += try await make(what, "post-data", last, failuresAreExpected: true)
        problems += try await make(what, "post-data", keys, jobs: jobs, failuresAreExpected: lacks)
        // Before their comments, which are among what is doubtful.
        problems += try await makePointers(plan.doubtful.intersection(all), "post-data", true)
        problems += try await make(
            what, "post-data", doubtful.subtracting(plan.doubtful),
            failuresAreExpected: true)
        // A partition alone has none of the triggers that its whole gave it, whose state is set.
        let refusable = forSuperusers(among: rest)
        problems += try await make(
            what, "post-data", rest.subtracting(refusable),
            failuresAreExpected: lacks || !request.isWhole, triesFailuresAgain: true)
        return try await problems + make(what, "post-data", refusable, failuresAreExpected: true)
    }

    /// Whether the whole, and with it its index, was there before.
    private func pointsToKeptIndex(_ attachment: Int) -> Bool {
        archive[attachment].flatMap(archive.indexOfWhole).map { !plan.chosen.contains($0) } ?? false
    }

    /// What would hide rows.
    func createWhatWouldBeInTheWay() async throws -> [String] {
        let lacks = request.lacksTables
        return try await commentOnInheritedConstraints()
            + make(
                "create event triggers and policies", "post-data",
                last.subtracting(made).subtracting(eventTriggers), failuresAreExpected: lacks)
    }

    /// Runs pg_restore; what could not be made, which ends the restore later where that is not to be expected.
    ///
    /// In the archive nothing says that the state of a partition's trigger comes after the trigger
    /// of a table two levels above, which makes it; pg_restore alone fails there. So what fails may
    /// be tried again after the others, as long as that helps; and it is once, where several things were made at a time.
    func make(
        _ what: String, _ section: String?, _ entries: Set<Int>, jobs: Int = 1,
        failuresAreExpected: Bool = false, triesFailuresAgain: Bool = false
    ) async throws -> [String] {
        watch?.begin(entries, jobs: jobs)
        let run = try await restore(
            ["--verbose"] + (section.map { ["--section=\($0)"] } ?? []) + ["--jobs=\(jobs)"],
            entries)
        guard !run.succeeded else {
            watch?.end()
            return []
        }
        // Of what was never tried nobody knows that it is missing.
        guard run.interruption == nil else { throw failure("cannot \(what)", run) }
        let failed = PostgresRestoreProblem.entries(in: run.messages).intersection(entries)
        // Side by side they may have been in each other's way, and what is said of them is not told apart.
        let mayHelp = jobs > 1 || (triesFailuresAgain && failed.count < entries.count)
        if mayHelp, !failed.isEmpty, !run.isCircumstantial {
            watch?.end(toTryAgain: failed)
            return try await make(
                what, section, failed, failuresAreExpected: failuresAreExpected,
                triesFailuresAgain: true)
        }
        let problems = PostgresRestoreProblem.all(in: run.messages)
        let isHarmless =
            problems.isEmpty && run.messages.contains(PostgresRestoreProblem.harmless)
        // Without a connection everything fails, also what can be made.
        guard isHarmless || !(problems.isEmpty || run.isCircumstantial) else {
            throw failure("cannot \(what)", run)
        }
        watch?.end()
        let words = problems.map(\.description)
        refusals.add(
            words, to: "cannot \(what)", PostgresRestoreProblem.complaints(in: run.messages),
            areExpected: failuresAreExpected)
        return words
    }

    private func restore(
        _ arguments: [String], _ entries: Set<Int>
    ) async throws -> PostgresRestoreRun {
        guard !entries.isEmpty else { return .ofNothing }
        var environment = Self.environment(login.environment, settings)
        if let watch { environment["PGAPPNAME"] = watch.application }
        return try await withFiles(entries) { [environment] archive, list in
            try await programs.restore(
                arguments + omissions + ["--use-list=\(list)", login.option, archive],
                environment: environment,
                isProgress: { watch?.read($0) ?? false })
        }
    }

    /// Those of some entries that are in a section; a comment is in that of its object.
    private func listed(_ entries: Set<Int>, in section: String) async throws -> Set<Int> {
        guard !entries.isEmpty else { return [] }
        let list = try await withFiles(entries) { archive, list in
            try await programs.render(
                ["--list", "--section=\(section)", "--use-list=\(list)", archive])
        }
        return PostgresArchive(list: String(decoding: list, as: UTF8.self)).all
    }

    private var omissions: [String] {
        (request.omitsOwners ? ["--no-owner"] : [])
            + (request.omitsPrivileges ? ["--no-privileges"] : [])
            + (request.omitsTablespaces ? ["--no-tablespaces"] : [])
    }

    private func withFiles<Result: Sendable>(
        _ entries: Set<Int>, _ body: (_ archive: String, _ list: String) async throws -> Result
    ) async throws -> Result {
        try await TemporaryFile.with(dump) { dump in
            try await TemporaryFile.with(Array(archive.list(of: entries).utf8)) { list in
                try await body(dump, list)
            }
        }
    }

    private func failure(_ what: String, _ run: PostgresRestoreRun) -> BackupError {
        let words =
            run.interruption ?? PostgresRestoreProblem.all(in: run.messages).first?.description
            ?? run.messages.split(separator: "\n").first.map(String.init) ?? ""
        var error = BackupError(
            .serverRefused, "\(what): \(words)",
            hint: PostgresRefusals.hint,
            underlying: PostgresRestoreProblem.complaints(in: run.messages))
        error.isCircumstantial = run.isCircumstantial
        return error
    }

    /// More memory for building indexes, and no time limits.
    ///
    /// Of what was there before these sessions lock nothing that others read or write. Constants are read as they were
    /// written, whatever settings the role and the server have.
    private static func environment(
        _ own: [String: String], _ settings: [String]
    ) -> [String: String] {
        let options =
            settings + [
                "maintenance_work_mem=256MB", "statement_timeout=0", "lock_timeout=0",
                "idle_in_transaction_session_timeout=0", "idle_session_timeout=0",
                "default_transaction_read_only=off", "lc_monetary=C", "array_nulls=on",
            ]
        let words = options.map { "-c \($0)" }.joined(separator: " ")
        return own.merging([
            "PGOPTIONS": "\(own["PGOPTIONS"] ?? "") \(words)", "PGAPPNAME": sessionName,
        ]) { $1 }
    }
}
