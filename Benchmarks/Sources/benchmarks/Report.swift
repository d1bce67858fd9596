import Foundation

/// What everybody took in all rounds of a contest.
struct ContestResult: Encodable {
    struct Contestant: Encodable {
        let name: String
        var wallSeconds: [Double] = []
        var cpuSeconds: [Double] = []
        var peakBytes: [Int] = []
        var medianWallSeconds = 0.0
        var medianCpuSeconds = 0.0
        var medianPeakBytes = 0
        /// dbtool's median wall time divided by this one's; less than 1: dbtool is faster.
        var wallRatio: Double?
        /// What its files take on the disk, after the last round.
        var folderBytes: Int?

        mutating func add(_ measurement: Measurement) {
            wallSeconds.append(rounded(measurement.wallSeconds))
            cpuSeconds.append(rounded(measurement.cpuSeconds))
            peakBytes.append(measurement.peakBytes)
            folderBytes = measurement.folderBytes
            medianWallSeconds = median(wallSeconds)
            medianCpuSeconds = median(cpuSeconds)
            medianPeakBytes = Int(median(peakBytes.map(Double.init)))
        }
    }

    let name: String
    /// dbtool is the first.
    var contestants: [Contestant]
    let absentees: [Contest.Absentee]

    init(_ contest: Contest) {
        name = contest.name
        contestants = contest.contestants.map { Contestant(name: $0.name) }
        absentees = contest.absentees
    }

    mutating func add(_ measurements: [Measurement]) {
        for (index, measurement) in measurements.enumerated() {
            contestants[index].add(measurement)
        }
        for index in contestants.indices.dropFirst() {
            let theirs = contestants[index].medianWallSeconds
            let ours = contestants[0].medianWallSeconds
            contestants[index].wallRatio = rounded(ours / max(theirs, 0.001))
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
    let databaseBytes: Int
    let rounds: Int
    let contests: [ContestResult]

    /// For people.
    var table: String {
        var lines = [
            "",
            "\(machine.processor), \(machine.cores) cores, \(machine.memoryBytes >> 30) GB; "
                + "PostgreSQL \(versions.server), dbtool \(versions.dbtool) (\(versions.commit))",
            "\(databaseBytes / 1_000_000) MB, medians of \(rounds); "
                + "the client's processor time and its largest process;",
            "ratio: dbtool's wall time divided by this one's",
            "",
            Self.line("", "wall s", "CPU s", "peak MB", "files MB", "ratio"),
        ]
        for contest in contests {
            for contestant in contest.contestants {
                lines.append(
                    Self.line(
                        contestant.name, Self.number(contestant.medianWallSeconds),
                        Self.number(contestant.medianCpuSeconds),
                        "\(contestant.medianPeakBytes / 1_000_000)",
                        contestant.folderBytes.map { "\($0 / 1_000_000)" } ?? "",
                        contestant.wallRatio.map(Self.number) ?? ""))
            }
            for absentee in contest.absentees {
                lines.append("\(absentee.name): skipped, \(absentee.reason)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ name: String, _ numbers: String...) -> String {
        name.padding(toLength: 38, withPad: " ", startingAt: 0)
            + numbers.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
    }

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }
}
