import BackupCore

/// For whom views, routines, triggers and events act once they are restored.
enum MySQLDefiner: Equatable {
    /// For those of the source.
    case kept
    /// For whoever restores them.
    case omitted
    /// For one account, quoted.
    case account(String)

    init(_ request: TargetRequest) {
        if let account = request.definer {
            self = .account(Self.quoted(account))
        } else {
            self = request.omitsOwners ? .omitted : .kept
        }
    }

    /// `app@%`, or `app` for any host.
    private static func quoted(_ account: String) -> String {
        guard let at = account.lastIndex(of: "@") else {
            return "\(MySQLText.identifier(account))@`%`"
        }
        let (user, host) = (account[..<at], account[account.index(after: at)...])
        return "\(MySQLText.identifier(String(user)))@\(MySQLText.identifier(String(host)))"
    }
}
