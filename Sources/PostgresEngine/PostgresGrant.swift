/// One statement that grants or takes something, and who the session is for it.
struct PostgresGrant: Sendable {
    /// What makes it that; nil for the restoring role.
    var becoming: [UInt8]?
    /// Who that is, where the statement says so.
    let role: String?
    let statement: [UInt8]

    var isRevocation: Bool { statement.starts(with: "REVOKE".utf8) }

    /// What has become of it.
    enum Refusal: Sendable {
        case refused(PostgresError)
        /// The server took the statement, and nothing came of it, or not all.
        case remarked(String)

        var message: String {
            switch self {
            case .refused(let error): error.message
            case .remarked(let words): words
            }
        }
    }
}
