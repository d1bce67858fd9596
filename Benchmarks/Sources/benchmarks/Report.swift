import Foundation

/// What everybody took in all rounds of a contest.
struct ContestResult: Encodable {
    struct Contestant: Encodable {
        let name: String
        var wallSeconds: [Double] = []
        var cpuSeconds: [Double] = []
        var serverSeconds: [Double] = []
        var peakBytes: [Int] = []
        var medianWallSeconds = 0.0
        var medianCpuSeconds = 0.0
        var medianServerSeconds = 0.0
        /// Of the largest process, and the largest of all rounds.
        var maxPeakBytes = 0
        /// The median wall time divided by the reference's.
        var wallRatio: Double?
        /// What that is meant to be at most.
        let target: Double?
        /// What its files take on the disk, after the last round.
        var writtenBytes: Int?

        init(_ contestant: Contest.Contestant) {
            name = contestant.name
            target = contestant.target
        }

        mutating func add(_ measurement: Measurement) {
            wallSeconds.append(rounded(measurement.wallSeconds))
            cpuSeconds.append(rounded(measurement.cpuSeconds))
            serverSeconds.append(rounded(measurement.serverSeconds))
            peakBytes.append(measurement.peakBytes)
            writtenBytes = measurement.writtenBytes
            medianWallSeconds = median(wallSeconds)
            medianCpuSeconds = median(cpuSeconds)
            medianServerSeconds = median(serverSeconds)
            maxPeakBytes = peakBytes.max() ?? 0
        }
    }

    let name: String
    var contestants: [Contestant]
    let absentees: [Contest.Absentee]
    private let reference: Int?

    private enum CodingKeys: CodingKey { case name, contestants, absentees }

    init(_ contest: Contest) {
        name = contest.name
        contestants = contest.contestants.map { Contestant($0) }
        absentees = contest.absentees
        reference = contest.contestants.firstIndex(where: \.isReference)
    }

    mutating func add(_ measurements: [Measurement]) {
        for (index, measurement) in measurements.enumerated() {
            contestants[index].add(measurement)
        }
        guard let reference else { return }
        let theirs = max(contestants[reference].medianWallSeconds, 0.001)
        for index in contestants.indices {
            contestants[index].wallRatio = rounded(contestants[index].medianWallSeconds / theirs)
        }
    }
}

private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
        ? rounded((sorted[middle - 1] + sorted[middle]) / 2) : sorted[middle]
}

private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

/// Everything that one run of the benchmark found.
struct Report: Encodable {
    let machine: Machine
    let versions: Versions
    let databases: String
    let rounds: Int
    let contests: [ContestResult]

    /// For people.
    var table: String {
        var lines = [
            "",
            "\(machine.processor), \(machine.cores) cores, \(machine.memoryBytes >> 30) GB; "
                + "PostgreSQL \(versions.server), \(versions.client), "
                + "dbtool \(versions.dbtool) (\(versions.commit))",
            "\(databases); medians of \(rounds), peak memory: the largest process of all rounds;",
            "ratio: wall time divided by that of the line with 1.00, ≤ what is aimed at",
        ]
        for contest in contests {
            lines += [
                "",
                Self.line(contest.name, "wall s", "CPU s", "server s", "peak MB", "MB", "ratio"),
            ]
            for contestant in contest.contestants {
                lines.append(
                    Self.line(
                        "  \(contestant.name)", Self.number(contestant.medianWallSeconds),
                        Self.number(contestant.medianCpuSeconds),
                        Self.number(contestant.medianServerSeconds),
                        "\(contestant.maxPeakBytes / 1_000_000)",
                        contestant.writtenBytes.map { Self.number(Double($0) / 1e6) } ?? "",
                        contestant.wallRatio.map(Self.number) ?? "")
                        + (contestant.target.map { "  ≤ \(Self.number($0))" } ?? ""))
            }
            for absentee in contest.absentees {
                lines.append("  \(absentee.name): skipped, \(absentee.reason)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ name: String, _ numbers: String...) -> String {
        name.padding(toLength: max(48, name.count + 1), withPad: " ", startingAt: 0)
            + numbers.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
    }

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }
}
