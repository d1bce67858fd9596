import BackupCore
import BackupTesting
import Synchronization

@testable import MySQLEngine

extension MySQLTestDatabase {
    /// How to reach it.
    func settings(as user: String = "root") -> MySQLSettings {
        var settings = MySQLSettings()
        settings.host = "127.0.0.1"
        settings.port = server.port
        settings.user = user
        settings.database = name
        return settings
    }

    /// A connection as a backup has them.
    func connection(as user: String = "root") async throws -> MySQLConnection {
        let connection = try await MySQLConnection(settings(as: user))
        try await MySQLSession.pin(connection, on: try await MySQLServer(connection))
        return connection
    }
}

extension MySQLConnection {
    /// The records of a selection, each with its line end.
    nonisolated func records(
        of sql: String, _ encodings: [MySQLEncoding]
    ) async throws -> [String] {
        let records = Mutex<[String]>([])
        try await Relay.run(capacity: 1) { batch in
            records.withLock { records in
                var start = 0
                for end in batch.ends {
                    records.append(String(decoding: batch.bytes[start..<end], as: UTF8.self))
                    start = end
                }
            }
        } send: { relay in
            try await self.copyOut(sql, as: encodings, to: relay)
        }
        return records.withLock { $0 }
    }
}
