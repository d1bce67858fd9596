import BackupCore

/// What a server says about itself before anything is asked of it.
struct PostgresServer: Sendable {
    /// In its own words: `15.4`.
    let version: String
    let major: Int
    let user: String
    let isSuperuser: Bool
    let encoding: String
    let isStandby: Bool
    /// What a session of a program needs besides, as `name=value`, to write definitions as a session of ours reads them.
    ///
    /// What strings, money and names of types look like follows settings of the role, the database and the server.
    let definitionSettings: [String]

    /// - Throws: `BackupError.connectionFailed` for a version that is not supported.
    init(_ connection: PostgresConnection) async throws {
        do {
            try await PostgresSession.liftTimeouts(of: connection)
            let row =
                try await connection.rows(
                    """
                    SELECT pg_catalog.current_setting('server_version'),
                           pg_catalog.current_setting('server_version_num'), current_user,
                           (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
                           pg_catalog.getdatabaseencoding(), pg_catalog.pg_is_in_recovery(),
                           pg_catalog.current_setting('standard_conforming_strings'),
                           pg_catalog.current_setting('quote_all_identifiers'),
                           pg_catalog.texteq(
                             '-1234.56'::pg_catalog.numeric::pg_catalog.money::pg_catalog.text,
                             '-$1,234.56')
                    """
                ).first ?? []
            version = String((row[0] ?? "").prefix { $0 != " " })
            major = (Int(row[1] ?? "") ?? 0) / 10000
            user = row[2] ?? ""
            isSuperuser = row[3] == "t"
            encoding = row[4] ?? "UTF8"
            isStandby = row[5] == "t"
            definitionSettings = [
                row[6] == "on" ? nil : "standard_conforming_strings=on",
                row[7] == "off" ? nil : "quote_all_identifiers=off",
                row[8] == "t" ? nil : "lc_monetary=C",
            ].compactMap(\.self)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot ask the server for its version")
        }
        guard major >= PostgresEngine.oldestMajor else {
            throw BackupError(
                .connectionFailed, "the server is PostgreSQL \(version), which is not supported",
                hint: "PostgreSQL \(PostgresEngine.oldestMajor) or newer is needed.")
        }
    }

    /// UTF-8, unless the server itself does not know what its bytes mean.
    var clientEncoding: String { encoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8" }
}
