import BackupTesting
import Foundation

/// A small disk of a run's own, under the repository of a shop.
struct CampaignDisk {
    let shop: CampaignShop
    /// What there is room for beside the repository.
    let spareKilobytes: Int
    /// When whoever opens a file of it finds it read-only; never, where nil.
    var readOnlyAfter: Duration?

    /// The exit code of a disk that is too small for what is there already.
    static let tooSmall: Int32 = 91

    /// What a repository takes in memory, where files have whole pages.
    private var takenKilobytes: Int {
        let manager = FileManager.default
        let files = manager.enumerator(atPath: shop.repository)?.compactMap { $0 as? String } ?? []
        return files.reduce(0) { sum, file in
            let path = "\(shop.repository)/\(file)"
            let size = try? manager.attributesOfItem(atPath: path)[.size] as? Int
            return sum + ((size ?? 0) + 4095) / 4096 * 4
        }
    }

    /// The words before those of the run.
    ///
    /// What is on the disk at the end is in the repository afterwards.
    func words() throws -> [String] {
        // A bind mount keeps the read-only flag of what it shows, so that there is no moment between the two.
        let beside = readOnlyAfter.map {
            """
            mkdir -p "$folder/shown" && mount --bind "$folder/disk" "$folder/shown" || exit 90
            mount -o remount,bind,ro "$folder/shown" || exit 90
            { sleep \(Double($0 / .milliseconds(1)) / 1000); mount --bind "$folder/shown" "$repository"; } &
            """
        }
        let script = """
            repository=$1 folder=$2
            shift 2
            mkdir -p "$folder/disk" && mount -t tmpfs -o size=\(takenKilobytes + spareKilobytes)k none "$folder/disk" || exit 90
            cp -r "$repository/." "$folder/disk" 2>/dev/null || exit \(Self.tooSmall)
            rm -rf "$repository" && mkdir -m 700 "$repository"
            mount --bind "$folder/disk" "$repository" || exit 90
            \(beside ?? "")
            "$@"; code=$?
            wait
            while umount "$repository" 2>/dev/null; do :; done
            cp -r "$folder/disk/." "$repository"
            exit $code
            """
        let folder = shop.server.folder
        return try Self.mounting(by: script, [shop.repository, folder], in: folder)
    }

    /// The words before those of a run around which a script mounts something that nobody else sees.
    ///
    /// `folder`: Where the script will be. `arguments`: What it gets before the run's words.
    static func mounting(
        by script: String, _ arguments: [String], in folder: String
    ) throws -> [String] {
        let file = "\(folder)/disk.sh"
        try Data(script.utf8).write(to: URL(fileURLWithPath: file))
        return ["/usr/bin/unshare", "--mount", "--propagation", "unchanged"]
            + (getuid() == 0 ? [] : ["--map-root-user"]) + ["sh", file] + arguments
    }
}
