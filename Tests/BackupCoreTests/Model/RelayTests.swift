import BackupCore
import BackupTesting
import Synchronization
import Testing

@Suite struct RelayTests {
    @Test(arguments: [1, 2, 7])
    func `everything arrives in order, and no more waits than there is room for`(
        capacity: Int
    ) async throws {
        let sent = Mutex(0)
        let received = Mutex<[Int]>([])
        try await Relay<Int>.run(capacity: capacity) { value in
            // One may be on its way into the relay.
            let ahead = sent.withLock { $0 } - value
            #expect(ahead <= capacity + 1)
            if value % 100 == 0 { await Task.yield() }
            received.withLock { $0.append(value) }
        } send: { relay in
            for value in 1...10_000 {
                #expect(await relay.send(value))
                sent.withLock { $0 = value }
            }
        }
        #expect(received.withLock { $0 } == Array(1...10_000))
    }

    @Test func `a receiver that throws stops the sender, and its error is the one that counts`()
        async
    {
        let refused = Mutex(false)
        await #expect(throws: DeliberateFailure.self) {
            try await Relay<Int>.run(capacity: 1) { _ in
                throw DeliberateFailure()
            } send: { relay in
                while await relay.send(1) {}
                refused.withLock { $0 = true }
                throw CancellationError()
            }
        }
        #expect(refused.withLock { $0 })
    }

    @Test func `what was sent before a sender threw is received, and its error passes`() async {
        let received = Mutex<[Int]>([])
        await #expect(throws: DeliberateFailure.self) {
            try await Relay<Int>.run(capacity: 4) { value in
                received.withLock { $0.append(value) }
            } send: { relay in
                for value in 1...3 { _ = await relay.send(value) }
                throw DeliberateFailure()
            }
        }
        #expect(received.withLock { $0 } == [1, 2, 3])
    }

    @Test func `nothing sent is nothing received`() async throws {
        try await Relay<Int>.run(capacity: 1) { _ in
            Issue.record("received")
        } send: { _ in
        }
    }

    @Test func `beside a huge value there is no other`() async throws {
        let alive = Mutex(0)
        try await Relay<Int>.run(capacity: 1, isHuge: { $0 >= 100 }) { value in
            await Task.yield()
            alive.withLock { $0 -= value >= 100 ? 1 : 0 }
        } send: { relay in
            for value in 1...1000 {
                if value >= 100 {
                    // The one before has been received to its end.
                    #expect(alive.withLock { $0 } == 0)
                    alive.withLock { $0 += 1 }
                }
                #expect(await relay.send(value))
            }
        }
    }

    @Test func `who waits for a huge value to be received hears of a receiver that throws`() async {
        await #expect(throws: DeliberateFailure.self) {
            try await Relay<Int>.run(capacity: 1, isHuge: { _ in true }) { _ in
                throw DeliberateFailure()
            } send: { relay in
                #expect(await relay.send(1) == false)
            }
        }
    }
}
