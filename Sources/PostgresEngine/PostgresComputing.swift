import BackupCore

/// Settings that rows are computed by when they are written: generated columns, checks, and indexes by functions that are
/// wrongly called immutable.
///
/// In a database that exists every session has them, unless its role has others, but for its time zone, which is pinned for
/// the text of rows. One that is created gets those of its source with the end of a restore: sessions that compute before need
/// them besides.
struct PostgresComputing: Sendable {
    typealias Setting = (name: String, value: String)

    /// Those of the database, which are the source's where it is created.
    private let settings: [Setting]
    /// The same, where this server has it.
    private let timeZone: Setting?

    init(_ request: TargetRequest, on connection: PostgresConnection) async throws {
        let properties =
            try await request.creates
            ? request.databaseProperties : PostgresMoment.properties(on: connection)
        let all = Self.settings(in: properties)
        settings = all.filter { !Self.isTimeZone($0) }
        var timeZone = all.first(where: Self.isTimeZone)
        if let zone = timeZone, try await !Self.take(zone, isLocal: true, on: connection) {
            timeZone = nil
        }
        self.timeZone = timeZone
    }

    /// Those of a database's settings that change nothing about how the text of rows is read: moments in it say how far
    /// they are from UTC.
    ///
    /// One with a dot in its name is somebody's own, or an extension's.
    static func settings(in properties: [String: String]) -> [Setting] {
        let start = "setting."
        return properties.sorted { $0.key < $1.key }.compactMap { key, value -> Setting? in
            guard key.hasPrefix(start) else { return nil }
            let name = String(key.dropFirst(start.count))
            let counts =
                name.contains(".")
                || ["timezone", "default_text_search_config"].contains(name.lowercased())
            return counts ? (name: name, value: value) : nil
        }
    }

    private static func isTimeZone(_ setting: Setting) -> Bool {
        setting.name.lowercased() == "timezone"
    }

    // MARK: Sessions

    /// The time zone, for a transaction that writes rows.
    var timeZoneOfTransaction: String { "SET LOCAL \(timeZoneToSet)" }

    private var timeZoneToSet: String {
        "TimeZone TO \(timeZone.map { SQLText.literal($0.value) } ?? "DEFAULT")"
    }

    /// For a session that reads no rows: all of it.
    func prepare(_ connection: PostgresConnection) async throws {
        try await connection.execute("SET \(timeZoneToSet)")
        try await give(to: connection)
    }

    /// For a session that reads rows as well: all but the time zone.
    ///
    /// - Returns: What the session has of it. What the role may not set, or is unknown here, is left out: something that is in
    ///   need of it says so.
    @discardableResult
    func give(to connection: PostgresConnection) async throws -> [Setting] {
        var given: [Setting] = []
        for setting in settings {
            let isTaken = try await Self.take(setting, isLocal: false, on: connection)
            if isTaken { given.append(setting) }
        }
        return given
    }

    /// Lets a session compute as its database says, and where that says nothing as any other session does, which it must
    /// have begun with.
    ///
    /// For all that a database can have: such a session reads and writes no text of rows.
    static func takeAll(ofDatabaseFor connection: PostgresConnection) async throws {
        try await PostgresSession.computeAsDatabase(connection)
        let properties = try await PostgresMoment.properties(on: connection)
        for setting in PostgresDatabaseStatements.settings(in: properties, of: "")
        where !setting.isOfLogin && PostgresSession.isFree(setting.key) {
            // A role may have another, and would have computed other values.
            _ = try await take(
                (name: setting.key, value: setting.value), isLocal: false, on: connection)
        }
    }

    private static func take(
        _ setting: Setting, isLocal: Bool, on connection: PostgresConnection
    ) async throws -> Bool {
        do {
            _ = try await connection.value(
                "SELECT pg_catalog.set_config($1, $2, $3::boolean)",
                [setting.name, setting.value, isLocal ? "true" : "false"])
            return true
        } catch let error as PostgresError {
            guard !error.isOfServer else {
                throw error.backupError(while: "cannot prepare the session")
            }
            return false
        }
    }

    // MARK: Sessions of pg_restore

    /// What they need besides, as `name=value`: what this session can have of it.
    ///
    /// The zone of a database that exists and has none of its own is theirs already.
    func options(on connection: PostgresConnection) async throws -> [String] {
        let given = try await give(to: connection)
        return Self.options((timeZone.map { [$0] } ?? []) + given)
    }

    /// Those that a connection can ask for: in plain letters, which have no encoding, and with room in its first message,
    /// of which the server takes 10,000 bytes.
    static func options(_ settings: [Setting]) -> [String] {
        var room = 4_000
        return settings.compactMap { setting -> String? in
            let isName = setting.name.utf8.allSatisfy(isOfName)
            guard isName, setting.value.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
            let option = "\(setting.name)=\(escaped(setting.value))"
            guard option.utf8.count <= room else { return nil }
            room -= option.utf8.count
            return option
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "$": true
        default: false
        }
    }

    /// A space ends an option of `PGOPTIONS`, unless a backslash is in front of it.
    static func escaped(_ value: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            if scalar == "\\" || scalar.properties.isWhitespace { text.append("\\") }
            text.append(scalar)
        }
        return String(text)
    }
}
