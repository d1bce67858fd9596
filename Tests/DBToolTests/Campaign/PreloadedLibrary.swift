import BackupTesting
import Foundation
import Testing

/// A library of the fixtures that is loaded before all others (`LD_PRELOAD`), and stands between a program and the system.
struct PreloadedLibrary {
    let path: String

    /// Compiles one.
    ///
    /// `folder`: Where it will be, and `environment` what the compiler gets.
    init(_ name: String, in folder: String, _ environment: [String: String]) async throws {
        path = "\(folder)/\(name).so"
        try await Program.run(
            "/usr/bin/cc",
            [
                "-shared", "-fPIC", "-O1", "-o", path,
                "\(DBToolBinary.package)/Tests/Fixtures/\(name).c", "-ldl",
            ], environment: environment, folder: folder
        ).requireCode(0)
    }

    /// The same in a shop's folder.
    init(_ name: String, for shop: CampaignShop) async throws {
        try await self.init(name, in: shop.server.folder, shop.server.environment)
    }

    /// The words before a program that is to run with it, and with variables that it reads.
    func words(_ variables: [String: String]) -> [String] {
        ["/usr/bin/env", "LD_PRELOAD=\(path)"]
            + variables.map { "\($0.key)=\($0.value)" }.sorted()
    }

    /// Whether a call was hit in a run, by the log of `fail-calls`.
    static func hasHit(by log: String) -> Bool {
        // There is none where no such call was made.
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.hasPrefix("!") || text.contains("\n!")
    }
}
