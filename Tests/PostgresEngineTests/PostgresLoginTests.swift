import BackupCore
import BackupTesting
import Foundation
import Synchronization
import Testing

@testable import PostgresEngine

/// Which refusals of a server are waited out.
@Suite(.timeLimit(.minutes(10))) struct PostgresLoginTests {
    @Test(arguments: ["shop", "postgres_shop", "a=b", "postgresql://x"])
    func `a database is called as it was named, whatever libpq would make of that`(name: String) {
        var settings = PostgresSettings()
        settings.url = Secret("postgresql://somebody@localhost/other")
        #expect(settings.databaseName == "other")
        settings.database = name
        #expect(settings.databaseName == name)
    }

    @Test func `a server that is starting is asked again`() async throws {
        let server = try StartingServer(refusing: 4)
        defer { server.stop() }
        let error = await #expect(throws: BackupError.self) {
            _ = try await PostgresLogin(server.settings).connect(pausing: Self.pauses)
        }
        #expect(error?.message.contains("no such database") == true)
        // Three times, and each time for its state.
        #expect(server.connectionCount == 6)
    }

    @Test func `a server that refuses for good is asked once`() async throws {
        let server = try StartingServer(refusing: 0)
        defer { server.stop() }
        let error = await #expect(throws: BackupError.self) {
            _ = try await PostgresConnection(server.settings)
        }
        #expect(error?.message.contains("no such database") == true)
        #expect(server.connectionCount == 2)
    }

    @Test func `waiting for a server that is starting can be interrupted`() async throws {
        let server = try StartingServer(refusing: .max)
        defer { server.stop() }
        let connecting = Task {
            _ = try await PostgresLogin(server.settings).connect(pausing: Self.pauses)
        }
        // For the database, and for its state.
        while server.connectionCount < 2 { try await Task.sleep(for: .milliseconds(20)) }
        connecting.cancel()
        // A wait that goes on ends with the server's refusal.
        await #expect(throws: CancellationError.self) { try await connecting.value }
    }

    /// Longer than other tests may keep these from going on.
    private static var pauses: GrowingPauses { GrowingPauses(for: .seconds(300)) }
}

/// A server that takes nobody: at first because it is starting, then because of the database.
private final class StartingServer: Sendable {
    private let port: UInt16
    private let listener: Int32
    private let refusals: Int
    private let count = Mutex(0)
    private let ended = DispatchGroup()

    /// Listens on 127.0.0.1.
    init(refusing refusals: Int) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw ProgramFailure("no server: errno \(errno)") }
        (self.listener, self.refusals) = (listener, refusals)
        port = UInt16(bigEndian: address.sin_port)
        ended.enter()
        Thread.detachNewThread {
            self.serve()
            self.ended.leave()
        }
    }

    var settings: PostgresSettings {
        var settings = PostgresSettings()
        settings.url = Secret(
            "postgresql://u@127.0.0.1:\(port)/d?sslmode=disable&gssencmode=disable")
        return settings
    }

    /// How often it was asked.
    var connectionCount: Int { count.withLock { $0 } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        ended.wait()
        close(listener)
    }

    private func serve() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            var request = [UInt8](repeating: 0, count: 4096)
            _ = recv(client, &request, request.count, 0)
            let message = answer()
            _ = send(client, message, message.count, Int32(MSG_NOSIGNAL))
            close(client)
        }
    }

    /// An error as the protocol has it.
    private func answer() -> [UInt8] {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let fields =
            number <= refusals
            ? ["SFATAL", "VFATAL", "C57P03", "Mthe database system is starting up"]
            : ["SFATAL", "VFATAL", "C3D000", "Mno such database"]
        var body: [UInt8] = []
        for field in fields { body += Array(field.utf8) + [0] }
        body.append(0)
        let length = UInt32(body.count + 4).bigEndian
        return [UInt8(ascii: "E")] + withUnsafeBytes(of: length) { Array($0) } + body
    }
}
