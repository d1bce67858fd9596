import Foundation

/// The story of a benchmark: run the contestants in turns, tell the medians.
@main
struct Benchmarks {
    static func main() throws {
        do {
            try run(Options(CommandLine.arguments.dropFirst()))
        } catch let failure as Failure {
            Screen.tell("benchmarks: \(failure.description)")
            exit(1)
        } catch {
            Screen.tell("benchmarks: \(error)")
            exit(1)
        }
    }

    private static func run(_ options: Options) throws {
        let server = Server(
            url: options.url, bin: options.bin, scratch: options.scratch,
            postmaster: options.postmaster)
        let sizes = try server.psql(
            "SELECT string_agg(datname || ' ' || pg_size_pretty(pg_database_size(datname)), ', ' ORDER BY datname)"
                + " FROM pg_database WHERE datname IN ('bench', 'narrow', 'small')")
        let contests = Contest.all(options, server: server).chosen(by: options.contests)
        var results = contests.map { ContestResult($0) }
        // One contest after the other: what some of them change in the databases, others would measure.
        for (index, contest) in contests.enumerated() {
            Screen.tell(contest.name)
            try contest.prepare()
            for round in 0...options.rounds {
                let measurements = try contest.run(round: round, on: server)
                // Round 0 fills caches and proves that every command works.
                if round > 0 { results[index].add(measurements) }
            }
        }
        let report = Report(
            machine: Machine(), versions: try Versions(server: server, options: options),
            databases: sizes, rounds: options.rounds, contests: results)
        Screen.tell(report.table)
        try Screen.write(report)
    }
}

extension [Contest] {
    /// Those of these names; a name that none has stands for all that begin so.
    func chosen(by words: [String]) -> [Contest] {
        guard !words.isEmpty else { return self }
        let names = Set(map(\.name))
        return filter { contest in
            words.contains { names.contains($0) ? contest.name == $0 : contest.name.hasPrefix($0) }
        }
    }
}

/// What went wrong, for people.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Progress and the table go to standard error, the JSON document to standard output.
enum Screen {
    static func tell(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    static func write(_ document: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        FileHandle.standardOutput.write(try encoder.encode(document) + Data("\n".utf8))
    }
}
