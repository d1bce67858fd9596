import BackupCore
import BackupTesting
import Testing

@testable import DBTool

@Suite struct ExitCodeTests {
    /// For files that import ArgumentParser too, which has an `ExitCode` of its own.
    static let list = ExitCode.list

    @Test(
        arguments: [
            (.usage, 2), (.notFound, 1), (.connectionFailed, 5), (.passwordRequired, 5),
            (.permissionDenied, 1), (.serverRefused, 1), (.sourceChanged, 1), (.toolMissing, 1),
            (.targetUnsuitable, 1), (.storageFailed, 1), (.locked, 6), (.damaged, 4),
            (.unsupportedFormat, 1), (.interrupted, 130),
        ] as [(BackupError.Code, Int32)])
    func `each failure has its exit code`(code: BackupError.Code, number: Int32) {
        #expect(ExitCode(code).rawValue == number)
    }

    @Test func `no failure ends as if it were done`() {
        for code in BackupError.Code.allCases { #expect(ExitCode(code) != .done) }
    }

    @Test func `the list has every exit code`() {
        for code in ExitCode.allCases {
            #expect(ExitCode.list.contains("\(code.rawValue) \(code.meaning)"))
        }
    }

    @Test func `too few files at once are told, and a limit that may be raised is`() async throws {
        try await withTemporaryFolder { folder in
            func list(_ limit: String) async throws -> ProgramEnd {
                try await Program.run(
                    "/bin/sh",
                    [
                        "-c", "\(limit); exec \"$@\"", "sh", DBToolBinary.path(), "list", "-path",
                        "x",
                    ],
                    environment: ["HOME": folder], folder: folder)
            }
            try await list("ulimit -n 40")
                .expect(code: 1, saying: "only 40 files may be open at once", "ulimit -n 1024")
            try await list("ulimit -S -n 40").expect(code: 1, saying: "there is no folder")
        }
    }
}
