import BackupCore

/// What a server says about itself before anything is asked of it.
struct MySQLServer: Sendable {
    /// Who made it: they differ in words, privileges and ways to a consistent moment.
    enum Product: String, Sendable {
        case mysql = "MySQL"
        case percona = "Percona Server"
        case mariaDB = "MariaDB"
    }

    let product: Product
    /// In its own words, without what a packager has added: `9.7.0`, `10.11.19`.
    let version: String
    /// `90700`, `101119`.
    let number: Int
    /// The account that the session has, as `user@host`.
    let account: String
    /// Whether changes are written to a binary log.
    let logsChanges: Bool
    /// Whether what comes from a primary goes through that log too.
    let logsReplicated: Bool
    /// Which one it is.
    let node: MySQLNode

    var isMariaDB: Bool { product == .mariaDB }

    /// The oldest versions that are supported.
    private static let oldest: [Product: Int] = [.mysql: 80000, .percona: 80000, .mariaDB: 100600]

    /// - Throws: `BackupError.connectionFailed` for a version that is not supported.
    init(_ connection: MySQLConnection) async throws {
        node = connection.node
        do {
            let row =
                try await connection.rows(
                    "SELECT VERSION(), @@version_comment, CURRENT_USER(), @@GLOBAL.log_bin"
                ).first ?? []
            let words = row[0] ?? ""
            let comment = (row[1] ?? "").lowercased()
            product =
                words.lowercased().contains("mariadb") || comment.contains("mariadb")
                ? .mariaDB : comment.contains("percona") ? .percona : .mysql
            // Behind a proxy MariaDB calls itself 5.5.5-10.11.19-MariaDB.
            let plain = words.hasPrefix("5.5.5-") ? words.dropFirst(6) : words[...]
            version = String(plain.prefix { $0.isNumber || $0 == "." })
            let parts = version.split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]
            number = parts[0] * 10000 + parts[1] * 100 + parts[2]
            account = row[2] ?? ""
            logsChanges = row[3] == "1"
            let variable =
                product != .mariaDB && number >= 80026 ? "log_replica_updates" : "log_slave_updates"
            logsReplicated = try await connection.value("SELECT @@GLOBAL.\(variable)") == "1"
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot ask the server for its version")
        }
        let oldest = Self.oldest[product] ?? 0
        guard number >= oldest else {
            throw BackupError(
                .connectionFailed,
                "the server is \(product.rawValue) \(version), which is not supported",
                hint:
                    "\(product.rawValue) \(oldest / 10000).\(oldest / 100 % 100) or newer is needed."
            )
        }
    }
}
