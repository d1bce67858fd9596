import BackupTesting
import Testing

@testable import BackupCore

@Suite(.timeLimit(.minutes(10))) struct TurnstileTests {
    @Test func `no more than the permits are inside`() async throws {
        let turnstile = Turnstile(permits: 3)
        let inside = InsideCounter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...100 {
                group.addTask {
                    try await turnstile.pass {
                        await inside.enter()
                        await Task.yield()
                        await inside.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await inside.maximum <= 3)
    }

    @Test func `first come, first served`() async throws {
        let turnstile = Turnstile(permits: 1)
        let order = Order()
        let tasks = try await turnstile.pass {
            var tasks: [Task<Void, any Error>] = []
            for number in 1...10 {
                tasks.append(Task { try await turnstile.pass { await order.append(number) } })
                try await eventually("the task waits") { turnstile.waitingCount == number }
            }
            return tasks
        }
        for task in tasks { try await task.value }
        #expect(await order.numbers == Array(1...10))
    }

    @Test func `a result comes out, an error too, and both free the place`() async throws {
        let turnstile = Turnstile(permits: 1)
        #expect(try await turnstile.pass { 42 } == 42)
        await #expect(throws: DeliberateFailure.self) {
            try await turnstile.pass { throw DeliberateFailure() }
        }
        #expect(try await turnstile.pass { 43 } == 43)
    }

    @Test func `who is cancelled while waiting leaves at once, and the next gets the place`()
        async throws
    {
        let turnstile = Turnstile(permits: 1)
        let (waiting, next) = try await turnstile.pass {
            let waiting = Task { try await turnstile.pass {} }
            try await eventually("the first waits") { turnstile.waitingCount == 1 }
            let next = Task { try await turnstile.pass { "next" } }
            try await eventually("the next one waits") { turnstile.waitingCount == 2 }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            return (waiting, next)
        }
        #expect(waiting.isCancelled)
        #expect(try await next.value == "next")
    }

    @Test func `who is cancelled before it comes does not wait`() async throws {
        let turnstile = Turnstile(permits: 1)
        try await turnstile.pass {
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                try await turnstile.pass {}
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        try await turnstile.pass {}
    }

    @Test func `random cancellations lose no permit`() async throws {
        for seed in SeededGenerator.seeds(count: 20) {
            var random = SeededGenerator(seed: seed)
            let permits = Int.random(in: 1...3, using: &random)
            let turnstile = Turnstile(permits: permits)
            let tasks = (1...200).map { _ in
                let yields = Int.random(in: 0...3, using: &random)
                return Task {
                    try await turnstile.pass { for _ in 0..<yields { await Task.yield() } }
                }
            }
            for task in tasks where Bool.random(using: &random) {
                task.cancel()
                await Task.yield()
            }
            for task in tasks { _ = await task.result }
            #expect(await Self.permits(of: turnstile, upTo: permits) == permits, "seed \(seed)")
        }
    }

    private actor Order {
        private(set) var numbers: [Int] = []

        func append(_ number: Int) { numbers.append(number) }
    }

    /// How many can be inside together.
    private static func permits(of turnstile: Turnstile, upTo count: Int) async -> Int {
        let inside = InsideCounter()
        let tasks = (0..<count).map { _ in
            Task {
                try await turnstile.pass {
                    await inside.enter()
                    while await inside.maximum < count {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
            }
        }
        // Where one is lost it never comes to that: so long only then.
        for _ in 1...60_000 where await inside.maximum < count {
            try? await Task.sleep(for: .milliseconds(1))
        }
        tasks.forEach { $0.cancel() }
        return await inside.maximum
    }
}
