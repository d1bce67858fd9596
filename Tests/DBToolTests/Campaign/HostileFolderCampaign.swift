import BackupTesting
import Foundation
import Testing

/// Whoever reads a folder that an attacker has written reads and writes nothing else, and ends with an answer.
@Suite struct HostileFolderCampaign {
    private static let stocks: [CampaignShop.Stock] =
        Attack.isLong ? [.packed, .chain] : [.packed]

    @Test(arguments: stocks)
    func `whatever lies in a repository, nothing outside is read or written, and memory suffices`(
        stock: CampaignShop.Stock
    ) async throws {
        try await CampaignShop.open(on: .postgres, stock: stock, size: .small) { shop in
            let outside = try Outside(of: shop)
            let limit = try await shop.limitOfMemory()
            try shop.layOut()
            let folder = try await HostileFolder(of: shop, luringTo: outside)
            let attack = Attack("hostile folder, \(stock)")
            let tricks = attack.shuffled(HostileFolder.Trick.allCases)
            try await attack.run(tries: Attack.tries * 3) { number, random in
                try shop.layOut()
                // Each in turn, and sometimes others with it.
                var played = [try folder.play(tricks[number % tricks.count], &random)]
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    let trick = try #require(tricks.randomElement(using: &random))
                    played.append(try folder.play(trick, &random))
                }
                if Bool.random(using: &random) {
                    try await folder.makeConsistent()
                    played.append("consistent")
                }
                var broken: [String] = []
                let readings =
                    shop.readings.shuffled(using: &random).prefix(Attack.isLong ? 7 : 4)
                for words in readings + shop.changes {
                    let end = try await shop.run(words, before: CampaignShop.limiting(to: limit))
                    // Of a list that is printed in part the words are in the list.
                    let isAnswer =
                        [0, 1, 2, 3, 4, 6].contains(end.code)
                        && !(end.output + end.errors).isEmpty
                    if !isAnswer { broken.append("no answer: \(end)") }
                    if (end.output + end.errors).contains(Outside.secret) {
                        broken.append("shows what is outside: \(end)")
                    }
                    if try !outside.isUntouched {
                        broken.append("touched what is outside: \(end)")
                        return broken
                    }
                }
                let copies = try await Program.run(
                    "/usr/bin/find",
                    [
                        ".", "-type", "f", "-size", "-64M", "-exec", "grep", "-lF", Outside.secret,
                        "{}", "+",
                    ],
                    environment: shop.server.environment, folder: shop.repository)
                if !copies.output.isEmpty { broken.append("copied what is outside: \(copies)") }
                return broken.map { "\(played), \(limit) MB: \($0)" }
            }
        }
    }
}

extension CampaignShop {
    /// Everything that reads a repository.
    fileprivate var readings: [[String]] {
        let full = ids.first { $0.hasPrefix("full_") } ?? "latest"
        let target = "never made"
        return [
            ["list"], ["show", "latest"], ["verify", "latest"], ["rows", "latest", "people"],
            ["diff", full, "latest"], ["history", "people", "3"],
            ["restore", "latest", "--into", target, "--create", "--dry-run"],
        ]
    }

    /// What changes it.
    fileprivate var changes: [[String]] {
        [["prune", "--keep-last", "1"], ["incremental", "backup"]]
    }

    /// The words before a run that has only so many megabytes of address space, and whose output may be endless.
    static func limiting(to megabytes: Int) -> [String] {
        let script = """
            ulimit -v \(megabytes * 1024) -c 0
            /usr/bin/env SWIFT_BACKTRACE=enable=no /usr/bin/timeout -s ALRM -k 5 50 "$@" |
              { head -c 4000000; cat >/dev/null; }
            exit ${PIPESTATUS[0]}
            """
        return ["/bin/bash", "-c", script, "bash"]
    }

    /// What runs need where nobody has touched the repository, and half a gigabyte, in megabytes.
    func limitOfMemory() async throws -> Int {
        for megabytes in stride(from: 1000, through: 8000, by: 500) {
            try layOut()
            var isEnough = true
            for words in readings + changes where isEnough {
                let end = try await run(words, before: Self.limiting(to: megabytes))
                isEnough = end.code == 0
            }
            if isEnough { return megabytes + 500 }
        }
        throw ProgramFailure("a whole repository cannot be read with 8 GB")
    }
}
