import BackupCore

/// Privileges that would be in the way of what is made and loaded.
extension PostgresArchiveRestore {
    /// Privileges on tables that are given when the rows are there, such as owners have taken from themselves, and those of
    /// others than owners.
    var privileges: Set<Int> {
        let ofOthers = grantsOfOthers.subtracting(closing)
        let withdrawalsOnRoutines = withdrawalsOnRoutines
        return archive.entries(of: "ACL", among: plan.chosen).filter { id in
            let things = archive[id]?.dependencies.compactMap { archive[$0] } ?? []
            return givesPrivilegesLate
                && (withdrawals.contains(id) || things.contains(where: \.holdsValues))
                || ofOthers.contains(id) || withdrawalsOnRoutines.contains(id)
        }
    }

    /// Whoever makes an index, the functions in it run as the table's owner.
    var withdrawalsOnRoutines: Set<Int> {
        withdrawals.filter { id in
            archive[id]?.dependencies.contains { archive[$0]?.isRoutine ?? false } ?? false
        }
    }

    /// What closes schemas to their owners: nothing can be made in these afterwards, nor found by its name.
    ///
    /// It comes with the end: an interrupted restore could not go on in these. So does all that is granted on schemas where
    /// others have granted some or may, which is given before, too.
    var closing: Set<Int> {
        guard givesPrivilegesLate else { return [] }
        return closures.union(grantsOfOthers.filter(isOfSchema)).intersection(plan.chosen)
    }

    /// Privileges that no pg_restore gives: it becomes who granted them in a way that only superusers may, is nobody for what
    /// owners granted, and fails where one of these may not use the schema any more.
    ///
    /// A superuser gives those on schemas first for that, as pg_restore does. All that are on one thing: those on columns rest
    /// on those on their table.
    var grantsOfOthers: Set<Int> {
        guard !request.omitsPrivileges, givesPrivilegesLate || plan.renamed == nil else {
            return []
        }
        let ofOthers = Set(grantors.keys)
        let passedOn = plan.chosen.intersection(
            givesPrivilegesLate
                ? grantable.filter { becomingOwner(for: $0) != nil }.union(ofOthers)
                : ofOthers.filter { !isOfSchema($0) })
        guard !passedOn.isEmpty else { return [] }
        let passed = Set(passedOn.flatMap { things(of: $0) })
        let all = archive.entries(of: "ACL", among: plan.chosen)
        return passedOn.union(all.filter { !passed.isDisjoint(with: things(of: $0)) })
    }

    /// Those that are on some things.
    func privileges(on entries: Set<Int>) -> Set<Int> {
        archive.entries(of: "ACL", among: plan.chosen).filter { id in
            !entries.isDisjoint(with: things(of: id))
        }
    }

    /// What makes a session the owner of what some privileges are on, by the numbers of these.
    func owners(of privileges: Set<Int>) -> [Int: String] {
        Dictionary(
            uniqueKeysWithValues: privileges.compactMap { id in
                becomingOwner(for: id).map { (id, $0) }
            })
    }

    /// Nil where that is the restoring role, or not known.
    ///
    /// Of those whom a role may act for the server takes one for who grants something that was let pass it on, if it comes
    /// upon him first.
    private func becomingOwner(for grants: Int) -> String? {
        // The owner of a copy may not be let use its schema.
        guard actsForOwners, plan.renamed == nil, let entry = archive[grants],
            let owner = entry.owner
        else { return nil }
        if entry.words.isExactly("ACL - SCHEMA public \(owner)") {
            return Self.becomingOwnerOfPublic
        }
        // What an extension brings belongs to whoever makes that.
        let isMade = things(of: grants).contains { archive[$0]?.owner?.isExactly(owner) ?? false }
        guard isMade, !request.omitsOwners, !owner.isEmpty,
            !owner.unicodeScalars.contains("\u{FFFD}")
        else { return nil }
        return "SET ROLE \(SQLText.identifier(owner))"
    }

    /// It is in every database, and not always made somebody's.
    private static let becomingOwnerOfPublic = """
        SELECT pg_catalog.set_config('role', pg_catalog.pg_get_userbyid(nspowner), false) \
        FROM pg_catalog.pg_namespace WHERE nspname = 'public' \
        AND pg_catalog.pg_has_role(nspowner, \(PostgresServerCheck.rightToAct))
        """

    private func things(of grants: Int) -> [Int] {
        archive[grants]?.dependencies.filter { !(archive[$0]?.isA("ACL") ?? false) } ?? []
    }

    private func isOfSchema(_ grants: Int) -> Bool {
        archive[grants]?.words.startsExactly(with: "ACL - SCHEMA ") ?? false
    }

    // MARK: In a verbose script

    /// The numbers of what takes rights from somebody: only owners, and everybody together, have any by themselves.
    static func withdrawals(in script: [UInt8]) -> Set<Int> {
        let (revocation, everybody) = (Array("REVOKE ".utf8), Array(" FROM PUBLIC;".utf8))
        return PostgresVerboseScript.entries(of: script) { line in
            line.starts(with: revocation)
                && !line.suffix(everybody.count).elementsEqual(everybody)
        }
    }

    /// The numbers of what somebody may pass on.
    static func grantable(in script: [UInt8]) -> Set<Int> {
        let end = Array(" WITH GRANT OPTION;".utf8)
        return PostgresVerboseScript.entries(of: script) { $0.suffix(end.count).elementsEqual(end) }
    }

    /// Who has granted something on what belongs to somebody else, by the numbers of privileges.
    static func grantors(in script: [UInt8], among privileges: Set<Int>) -> [Int: [String]] {
        let beginning = Array("SET SESSION AUTHORIZATION ".utf8)
        let found = PostgresVerboseScript.entries(of: script) { $0.starts(with: beginning) }
            .intersection(privileges)
        return PostgresVerboseScript.texts(of: found, in: script)
            .mapValues { PostgresScript(bytes: $0).grantors }
    }
}
