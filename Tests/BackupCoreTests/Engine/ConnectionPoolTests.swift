import BackupCore
import BackupTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct ConnectionPoolTests {
    private final class Session: PooledConnection {
        let number: Int
        let turn = Turnstile(permits: 1)

        init(_ number: Int) { self.number = number }
    }

    @Test func `a connection that took another's place is lent from then on`() async throws {
        let pool = ConnectionPool([Session(1), Session(2)])
        try await pool.withPlace { session in session = Session(session.number + 10) }
        #expect(pool.all.map(\.number) == [1, 12])
        let lent = try await pool.withOne { first in
            try await pool.withOne { second in [first.number, second.number] }
        }
        #expect(lent.sorted() == [1, 12])
    }

    @Test func `what was put in a place stays when an error passes`() async throws {
        let pool = ConnectionPool([Session(1)])
        await #expect(throws: DeliberateFailure.self) {
            try await pool.withPlace { session in
                session = Session(2)
                throw DeliberateFailure()
            }
        }
        #expect(try await pool.withOne { $0.number } == 2)
        #expect(pool.all.map(\.number) == [2])
    }
}
