/// Where a campaign's shop sells: a database of one product, its words of SQL, and how dbtool reaches it.
protocol CampaignServer: Sendable {
    /// A folder of the test's own.
    var folder: String { get }
    /// All variables that programs get.
    var environment: [String: String] { get }
    /// The name of the shop's database.
    var source: String { get }
    /// Where it listens, on 127.0.0.1.
    var port: UInt16 { get }

    /// Statements that make the shop's tables in an empty database, and fill them.
    var opening: String { get }
    /// What is sold between one backup and the next.
    var changes: [String] { get }

    /// The flags by which dbtool reaches it, by itself or by whoever stands in front of it.
    func flags(port: UInt16) -> [String]

    /// Runs SQL as an administrator, by the product's own client.
    @discardableResult
    func query(_ sql: String, in database: String) async throws -> String

    /// Runs SQL that may fail; what follows on a statement that failed is not run.
    func attempt(_ sql: String, in database: String) async throws

    /// What a restored database must say as the source does.
    func contents(of database: String) async throws -> String

    /// The name of a database that dbtool may make.
    func newName(_ purpose: String) -> String

    /// Whether there is a database.
    func exists(_ database: String) async throws -> Bool

    /// Removes a database, where there is one.
    func drop(_ database: String) async throws

    /// Cancels what a session in a database does, or ends it, as an administrator would.
    ///
    /// - Returns: Whether there was one.
    func disturb(_ way: Disturbance, in database: String) async throws -> Bool
}

/// What an administrator may do to a session.
enum Disturbance: CaseIterable {
    case cancelled, ended
}
