import BackupTesting
import Foundation

/// A small disk of a run's own for what is no repository.
struct CampaignSideDisk: CustomStringConvertible {
    /// What lies there, by the variable that names the folder.
    enum Purpose: String, CaseIterable {
        case temporaryFiles = "TMPDIR"
        case state = "XDG_STATE_HOME"
    }

    let purpose: Purpose
    let kilobytes: Int
    /// Whether something else has taken all of it before.
    let isFull: Bool

    /// `most`: What there is room for at most, in kilobytes.
    init(for purpose: Purpose, upTo most: Int, _ random: inout SeededGenerator) {
        self.purpose = purpose
        // One without a size would have no limit.
        kilobytes = Int.random(in: 1...max(1, most / 4), using: &random) * 4
        isFull = Bool.random(using: &random)
    }

    var description: String { "\(purpose) of \(kilobytes) kB\(isFull ? ", full" : "")" }

    /// The words before those of a run.
    func words(in shop: CampaignShop) throws -> [String] {
        let filling = isFull ? "cat /dev/zero >\"$folder/rest\" 2>/dev/null" : ":"
        let script = """
            folder=$1
            shift
            mkdir -p "$folder" && mount -t tmpfs -o size=\(kilobytes)k,mode=700 none "$folder" || exit 90
            \(filling)
            /usr/bin/env "\(purpose.rawValue)=$folder" "$@"; code=$?
            while umount "$folder" 2>/dev/null; do :; done
            exit $code
            """
        let folder = shop.server.folder
        return try CampaignDisk.mounting(by: script, ["\(folder)/side"], in: folder)
    }

    /// Whether a run had less room than it wanted, or none.
    func isShort(for end: ProgramEnd) -> Bool {
        isFull || end.code != 0 || end.errors.contains("No space left")
    }
}
