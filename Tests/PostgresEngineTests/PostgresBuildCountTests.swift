import BackupCore
import Testing

@testable import PostgresEngine

@Suite struct PostgresBuildCountTests {
    /// Reads lines of a run; gives how much is done after each.
    private func done(
        _ count: inout PostgresBuildCount, _ lines: [String]
    ) -> [Int] {
        lines.map { line in
            _ = count.read("pg_restore: \(line)")
            return count.progress.done
        }
    }

    @Test func `several jobs say what they launch and finish`() {
        var count = PostgresBuildCount([10, 11, 12])
        count.begin([10, 11, 12, 99], jobs: 2)
        let lines = [
            "connecting to database for restore", "processing item 99 ENCODING ENCODING",
            "launching item 10 INDEX a", "launching item 11 CONSTRAINT t t_pkey",
            "creating INDEX \"public.a\"", "creating CONSTRAINT \"public.t t_pkey\"",
            "finished item 11 CONSTRAINT t t_pkey",
        ]
        #expect(done(&count, lines) == [0, 0, 0, 0, 0, 0, 1])
        #expect(count.progress.total == 3)
        #expect(count.progress.current?.name == "INDEX a")
        #expect(
            done(
                &count,
                [
                    "launching item 12 INDEX c", "finished item 10 INDEX a",
                    "finished item 12 INDEX c",
                ]
            ) == [1, 2, 3])
        #expect(count.progress == StepProgress(done: 3, total: 3))
    }

    @Test func `one job says only what it begins`() {
        var count = PostgresBuildCount([1, 2, 3])
        count.begin([1, 2], jobs: 1)
        #expect(done(&count, ["creating INDEX \"public.a\"", "creating INDEX \"b\""]) == [0, 1])
        #expect(count.progress.current?.name == "INDEX b")
        count.end()
        #expect(count.progress == StepProgress(done: 2, total: 3))
        count.begin([3], jobs: 1)
        #expect(done(&count, ["creating TRIGGER \"public.t x\""]) == [2])
        count.end()
        #expect(count.progress == StepProgress(done: 3, total: 3))
    }

    @Test func `what is tried again is not done, and nothing goes back`() {
        var count = PostgresBuildCount([1, 2, 3])
        count.begin([1, 2, 3], jobs: 1)
        let lines = ["creating A \"a\"", "creating B \"b\"", "creating C \"c\""]
        #expect(done(&count, lines) == [0, 1, 2])
        count.end(toTryAgain: [2])
        #expect(count.progress.done == 2)
        count.begin([2], jobs: 1)
        #expect(done(&count, ["creating B \"b\""]) == [2])
        count.end()
        #expect(count.progress.done == 3)
    }

    @Test func `a name that looks like a message counts nothing`() {
        var count = PostgresBuildCount([1, 2])
        count.begin([1], jobs: 2)
        let lines = [
            "finished item 2 INDEX of another run", "finished item 7 INDEX of nobody",
            "launching item 99999999999999999999 X", "creating INDEX \"finished item x\"",
        ]
        #expect(done(&count, lines) == [0, 0, 0, 0])
        #expect(count.progress == StepProgress(done: 0, total: 2))
    }

    /// Two processes write to one pipe, and a line of theirs may come in two pieces.
    @Test func `a line inside another one is read all the same`() {
        var count = PostgresBuildCount([1])
        count.begin([1], jobs: 2)
        #expect(done(&count, ["pg_restore: finished item 1 INDEX a"]) == [1])
    }

    @Test func `only progress is not kept of what a program says`() {
        var count = PostgresBuildCount([5])
        count.begin([5], jobs: 2)
        let said = """
            pg_restore: connecting to database for restore
            pg_restore: launching item 5 INDEX a
            pg_restore: creating INDEX "public.a"
            pg_restore: error: could not execute query: ERROR:  launching item 5 failed
            Command was: launching item 5
            pg_restore: finished item 5 INDEX a
            the end
            """
        for size in [1, 7, 4096] {
            let counting = Exclusive(count)
            var messages = PostgresMessages { line in counting.withValue { $0.read(line) } }
            var rest = Array(said.utf8)[...]
            while !rest.isEmpty {
                rest.prefix(size).withUnsafeBytes { messages.append($0) }
                rest = rest.dropFirst(size)
            }
            #expect(
                messages.text == """
                    pg_restore: connecting to database for restore
                    pg_restore: error: could not execute query: ERROR:  launching item 5 failed
                    Command was: launching item 5
                    the end
                    """, "\(size) bytes at a time")
            #expect(counting.withValue { $0.progress.done } == 1)
        }
    }
}
