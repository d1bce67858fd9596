import BackupCore

/// Privileges that would be in the way of what is made and loaded.
extension PostgresArchiveRestore {
    /// Privileges on tables that are given when the rows are there, and such as owners have taken from themselves.
    var privileges: Set<Int> {
        let ofOthers = grantsOfOthers.subtracting(closing)
        return archive.entries(of: "ACL", among: plan.chosen).filter { id in
            let things = archive[id]?.dependencies.compactMap { archive[$0] } ?? []
            let takes = withdrawals.contains(id)
            // Whoever makes an index, the functions in it run as the table's owner.
            return takes && things.contains(where: \.isRoutine)
                || givesPrivilegesLate && (takes || things.contains(where: \.holdsValues))
                || ofOthers.contains(id)
        }
    }

    /// What closes schemas to their owners: nothing can be made in these afterwards, nor found by its name.
    ///
    /// It comes with the end: an interrupted restore could not go on in these. So does all that is granted on schemas where
    /// others have granted some, which is given before, too.
    var closing: Set<Int> {
        guard givesPrivilegesLate else { return [] }
        return closures.union(grantsOfOthers.filter(isOfSchema)).intersection(plan.chosen)
    }

    /// Privileges that no pg_restore gives where no superuser restores: it becomes who granted them in a way that only
    /// superusers may.
    var grantsOfOthers: Set<Int> {
        guard givesPrivilegesLate, !request.omitsPrivileges else { return [] }
        return plan.chosen.intersection(grantors.keys)
    }

    private func isOfSchema(_ grants: Int) -> Bool {
        archive[grants]?.words.startsExactly(with: "ACL - SCHEMA ") ?? false
    }

    // MARK: In a verbose script

    /// The numbers of what takes rights from somebody: only owners, and everybody together, have any by themselves.
    static func withdrawals(in script: [UInt8]) -> Set<Int> {
        let (revocation, everybody) = (Array("REVOKE ".utf8), Array(" FROM PUBLIC;".utf8))
        return entries(in: script) { line in
            line.starts(with: revocation)
                && !line.suffix(everybody.count).elementsEqual(everybody)
        }
    }

    /// Who has granted something on what belongs to somebody else, by the numbers of privileges.
    static func grantors(in script: [UInt8], among privileges: Set<Int>) -> [Int: [String]] {
        let beginning = Array("SET SESSION AUTHORIZATION ".utf8)
        let found = entries(in: script) { $0.starts(with: beginning) }.intersection(privileges)
        guard !found.isEmpty else { return [:] }
        // Names may have several lines.
        var texts: [Int: [UInt8]] = [:]
        PostgresVerboseScript.eachLine(of: script) { id, line in
            guard found.contains(id) else { return }
            texts[id, default: []].append(contentsOf: line)
            texts[id, default: []].append(UInt8(ascii: "\n"))
        }
        return texts.mapValues { PostgresScript(bytes: $0).grantors }
    }
}
