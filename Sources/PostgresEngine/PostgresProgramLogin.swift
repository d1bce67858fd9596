/// How the server's programs log in as a connection has.
///
/// Whoever lists processes sees their words: a secret is in a variable, or nowhere.
struct PostgresProgramLogin: Sendable {
    /// What has no variable, decides how long a server that is gone is waited for, and is no secret.
    private static let patience = [
        "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout",
    ]
    /// What a service says is among the other settings already.
    ///
    /// Its file would come before their variables, and lead elsewhere whoever has named another host as well.
    private static let service = ["service", "servicefile"]

    let database: String
    /// libpq's variables.
    var environment: [String: String] = [:]
    private var parameters: [(keyword: String, value: String)] = []

    init(database: String) { self.database = database }

    /// Adds a setting of a connection; one that programs can do without is left out.
    mutating func add(_ keyword: String, _ value: String, variable: String?) {
        if let variable {
            if !Self.service.contains(keyword) { environment[variable] = value }
        } else if Self.patience.contains(keyword) {
            parameters.append((keyword, value))
        }
    }

    /// Gives the programs' sessions a setting of the server, as `name=value`, after those that they have.
    mutating func set(_ setting: String) {
        let options = [environment["PGOPTIONS"], "-c \(setting)"].compactMap(\.self)
        environment["PGOPTIONS"] = options.joined(separator: " ")
    }

    /// The option that names the database, with what has no variable.
    var option: String {
        let words = [("dbname", database)] + parameters.map { ($0.keyword, $0.value) }
        return "--dbname="
            + words.map { "\($0.0)=\(SQLText.connectionValue($0.1))" }.joined(separator: " ")
    }
}
