import BackupCore

/// What others than the owner of a thing have granted on it: pg_restore becomes them for that.
extension PostgresScript {
    /// Who these are, in their order.
    var grantors: [String] {
        var names: [String] = []
        for statement in wholeStatements {
            guard case .become(let role) = Step(statement), let name = role.identifier,
                !names.contains(where: name.isExactly)
            else { continue }
            names.append(name)
        }
        return names
    }

    /// The same for a role that may act for them: only superusers may `SET SESSION AUTHORIZATION`.
    ///
    /// Of a script that tells the numbers of its entries, as `--verbose` has pg_restore write it.
    ///
    /// `omitted`: Entries that come without what others have granted: who passes on what was granted to him may depend on
    /// somebody for whom the role may not act.
    /// `owners`: What makes the session the owner for what he has granted himself, by the numbers of entries.
    func grantingAsMember(
        leavingOut omitted: Set<Int>, as owners: [Int: String] = [:]
    ) -> PostgresScript {
        var (bytes, entry, isOfAnother): ([UInt8], Int?, Bool) = ([], nil, false)
        for statement in wholeStatements {
            entry = statement.compactMap(Self.entry(beginningWith:)).last ?? entry
            let isLeftOut = entry.map(omitted.contains) ?? false
            let step = Step(statement)
            let front = statement.prefix(statement.count - Self.body(of: statement).count)
            switch step {
            case .become(let role):
                bytes += front.flatMap(\.bytes)
                if !isLeftOut { bytes += Array("SET ROLE ".utf8) + role.bytes + Array(";".utf8) }
                isOfAnother = true
            case .resume:
                bytes += front.flatMap(\.bytes)
                if !isLeftOut { bytes += Array("RESET ROLE;".utf8) }
                isOfAnother = false
            case .other:
                let body = statement.suffix(statement.count - front.count)
                let isPrivilege = ["GRANT", "REVOKE"].contains(body.first?.keyword)
                if isPrivilege, !isOfAnother, let owner = entry.flatMap({ owners[$0] }) {
                    bytes += front.flatMap(\.bytes) + Array("\(owner);\n".utf8)
                    bytes += body.flatMap(\.bytes) + Array("\nRESET ROLE;".utf8)
                } else {
                    let isMade = !(isOfAnother && isLeftOut)
                    bytes += (isMade ? statement : front).flatMap(\.bytes)
                }
            }
        }
        return PostgresScript(bytes: bytes)
    }

    /// What it sets before all else, and its grants and revocations: of a script for a role that may act for others.
    var singleGrants: (head: PostgresScript, grants: [PostgresGrant]) {
        var (head, grants): ([UInt8], [PostgresGrant]) = ([], [])
        var (becoming, role): ([UInt8]?, String?) = (nil, nil)
        for statement in wholeStatements {
            let body = Self.body(of: statement)
            let bytes = body.flatMap(\.bytes)
            let words = body.lazy.filter { !$0.isSpace }.prefix(3)
            switch words.first?.keyword {
            case "GRANT", "REVOKE":
                grants.append(PostgresGrant(becoming: becoming, role: role, statement: bytes))
            case "SET" where words.dropFirst().first?.keyword == "ROLE":
                (becoming, role) = (bytes, words.dropFirst(2).first?.identifier)
            case "SELECT" where bytes.starts(with: Self.becomingByName):
                (becoming, role) = (bytes, nil)
            case "RESET": (becoming, role) = (nil, nil)
            default: if grants.isEmpty { head += statement.flatMap(\.bytes) }
            }
        }
        return (PostgresScript(bytes: head), grants)
    }

    private static let becomingByName = Array("SELECT pg_catalog.set_config('role'".utf8)

    /// What a statement does about who the session is.
    private enum Step {
        case become(SQLTokens.Token)
        case resume
        case other

        init(_ statement: ArraySlice<SQLTokens.Token>) {
            let words = PostgresScript.body(of: statement).filter { !$0.isSpace }
            let keywords = words.prefix(3).map(\.keyword)
            guard keywords.dropFirst() == ["SESSION", "AUTHORIZATION"] else {
                self = .other
                return
            }
            switch keywords[0] {
            case "SET" where words.count > 3: self = .become(words[3])
            case "RESET": self = .resume
            default: self = .other
            }
        }
    }

    /// Each with what stands before it and the sign that ends it; together they are the script.
    private var wholeStatements: [ArraySlice<SQLTokens.Token>] {
        let tokens = SQLTokens(bytes).tokens
        var statements: [ArraySlice<SQLTokens.Token>] = []
        var start = tokens.startIndex
        for index in tokens.indices where tokens[index].bytes == [UInt8(ascii: ";")] {
            statements.append(tokens[start...index])
            start = index + 1
        }
        return statements + [tokens[start...]]
    }

    /// It without the spaces and comments in front of it.
    private static func body(
        of statement: ArraySlice<SQLTokens.Token>
    ) -> ArraySlice<SQLTokens.Token> {
        statement.drop { $0.isSpace || $0.bytes.starts(with: "--".utf8) }
    }
}
