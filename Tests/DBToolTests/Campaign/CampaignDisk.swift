import BackupTesting
import Foundation

/// A small disk of a run's own, under the repository of a shop.
struct CampaignDisk {
    let shop: CampaignShop
    let kilobytes: Int
    /// When whoever opens a file of it finds it read-only; never, where nil.
    var readOnlyAfter: Duration?

    /// The exit code of a disk that is too small for what is there already.
    static let tooSmall: Int32 = 91

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
            mkdir -p "$folder/disk" && mount -t tmpfs -o size=\(kilobytes)k none "$folder/disk" || exit 90
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
        let file = "\(folder)/disk.sh"
        try Data(script.utf8).write(to: URL(fileURLWithPath: file))
        return ["/usr/bin/unshare", "--mount", "--propagation", "unchanged"]
            + (getuid() == 0 ? [] : ["--map-root-user"]) + ["sh", file, shop.repository, folder]
    }
}
