import BackupTesting
import Foundation
import Packing
import Testing

/// A password stays where it was given, whatever becomes of the run that got it, and what runs leave is for their owner only.
@Suite struct SecretCampaign {
    private static let products: [CampaignShop.Product] =
        Attack.isLong ? [.postgres, .mariadb, .mysql] : [.postgres, .mariadb]

    @Test(arguments: products)
    func `a password shows nowhere but where it was given, whatever becomes of the run`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.openAlone(on: product) { shop, _ in
            let runs = try await WatchedRuns(of: shop, on: product)
            let attack = Attack("secrets, \(product)")
            let verbs = attack.shuffled(WatchedRuns.Verb.allCases)
            try await attack.run(tries: Attack.tries * 3) { number, random in
                try await runs.attempt(verbs[number % verbs.count], &random)
            }
        }
    }

    // MARK: Whoever looks finds

    @Test func `a password in a file is found, however it is written`() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator(seed: Attack.seed)
            let secret = CampaignSecret(of: CampaignSecret.anything, &random)
            let bytes = Array(secret.text.utf8)
            let packed = try ZstdCompressor().frame(bytes)
            let archive = try Self.archive(of: bytes)
            let forms: [[UInt8]] = [
                bytes, Array(secret.percentEncoded.utf8),
                Array(secret.text.replacing("'", with: "''").utf8),
                Array(secret.text.replacing("\\", with: "\\\\").utf8),
                Array(Data(bytes).base64EncodedString().utf8),
                Array(Data("u:\(secret.text)".utf8).base64EncodedString().utf8),
                Array(Data("u:p\(secret.text)".utf8).base64EncodedString().utf8),
                packed, Array(packed.dropLast(3)), archive, Array(archive.dropLast(60)),
                try Self.archive(of: packed),
            ]
            let path = "\(folder)/file"
            for (number, form) in forms.enumerated() {
                try Data(form).write(to: URL(fileURLWithPath: path))
                let found = CampaignTraces.files(holding: secret, in: [folder])
                #expect(found == [path], "form \(number)")
            }
            let other = CampaignSecret(of: CampaignSecret.anything, &random)
            #expect(CampaignTraces.files(holding: other, in: [folder]) == [])
        }
    }

    @Test func `a password among words and variables is seen`() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator(seed: Attack.seed)
            let secret = CampaignSecret(of: CampaignSecret.anything, &random)
            let path = "\(folder)/file"
            let seen = try await SecretWatch.places(
                of: secret.forms, part: secret.head, inFilesOf: folder
            ) {
                _ = try await Program.run(
                    "/bin/sh", ["-c", "echo \"$1\" >\(path); sleep 1; true", "sh", secret.text],
                    environment: ["PATH": "/usr/bin:/bin", "URL": secret.percentEncoded],
                    folder: folder)
            }
            #expect(seen.isSuperset(of: ["words of sh", "URL of sh", path]), "\(seen)")
        }
    }

    @Test func `what others may read is found, in an archive too`() async throws {
        try await withTemporaryFolder { folder in
            let environment = ["PATH": "/usr/bin:/bin"]
            let repository = "\(folder)/repository"
            let made = try await Program.run(
                "/bin/sh",
                [
                    "-c",
                    """
                    mkdir -m 700 repository && cd repository && mkdir -m 755 open && umask 077
                    echo >closed; echo >open/file; chmod 640 open/file; python3 -m zipfile -c of.zip open
                    """,
                ], environment: environment, folder: folder)
            try made.requireCode(0)
            let open = try CampaignTraces.openPlaces(in: [repository])
            #expect(
                open == [
                    "\(repository)/open has 755", "\(repository)/open/file has 640",
                ])
            let unpacked = "\(folder)/unpacked"
            let inArchive = try await CampaignTraces.openPlaces(
                inArchivesOf: repository, unpackedTo: unpacked, environment)
            #expect(
                inArchive == ["\(unpacked)/open has 755", "\(unpacked)/open/file has 640"])
        }
    }

    private static func archive(of bytes: [UInt8]) throws -> [UInt8] {
        let zip = try ZipWriter()
        try zip.beginFile("file", byteCount: bytes.count, modified: 0)
        try zip.append(bytes)
        try zip.finish()
        return zip.takeOutput()
    }
}
