import Foundation
import Packing
import Testing

/// What the archives hold is judged by other programs: unzip and Python's zipfile.
@Suite struct ZipWriterTests {
    private static let files: [(name: String, bytes: [UInt8])] = [
        ("top/empty.csv", []), ("top/data/people.csv", Array("id,name\n1,Ann\n".utf8)),
        ("top/data/large.bin", (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 8) }),
        ("top/data/with%20space%C3%A9.csv", Array("x\n".utf8)),
    ]

    @Test func `unzip accepts the archive`() throws {
        try withArchive { path in
            let result = try Self.run("unzip", "-t", path)
            #expect(result.status == 0, "\(result.output)")
        }
    }

    @Test func `every file comes out as it went in`() throws {
        try withArchive { path in
            let program = """
                import hashlib, sys, zipfile
                with zipfile.ZipFile(sys.argv[1]) as archive:
                    assert archive.testzip() is None
                    for i in archive.infolist():
                        print(i.filename, hashlib.sha256(archive.read(i)).hexdigest())
                """
            let result = try Self.run("python3", "-c", program, path)
            let expected =
                ["top/", "top/data/"].map { "\($0) \(SHA256Stream.hexDigest(of: []))" }
                + Self.files.map { "\($0.name) \(SHA256Stream.hexDigest(of: $0.bytes))" }
            #expect(result.status == 0, "\(result.output)")
            #expect(Set(result.output.split(separator: "\n").map(String.init)) == Set(expected))
        }
    }

    @Test func `files have mode 600 and folders 700`() throws {
        try withArchive { path in
            let program = """
                import sys, zipfile
                for i in zipfile.ZipFile(sys.argv[1]).infolist():
                    print(oct(i.external_attr >> 16), i.is_dir())
                """
            let result = try Self.run("python3", "-c", program, path)
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == Self.files.count + 2)
            #expect(lines.allSatisfy { ["0o100600 False", "0o40700 True"].contains($0) })
        }
    }

    @Test func `output comes while bytes go in, not only at the end`() throws {
        let zip = try ZipWriter()
        let piece = (0..<(1 << 20)).map { _ in UInt8.random(in: 0...255) }
        try zip.beginFile("large", byteCount: piece.count * 20, modified: 0)
        for _ in 1...20 {
            try zip.append(piece)
            #expect(zip.takeOutput().count < 3 << 20)
        }
        try zip.finish()
        #expect(zip.takeOutput().count < 1 << 20)
    }

    @Test func `more bytes than were announced are an error`() throws {
        let zip = try ZipWriter()
        try zip.beginFile("short", byteCount: 3, modified: 0)
        #expect(throws: PackingError.self) { try zip.append([1, 2, 3, 4]) }
    }

    private func withArchive(_ body: (String) throws -> Void) throws {
        let zip = try ZipWriter()
        try zip.addFolder("top", modified: 1_700_000_000)
        try zip.addFolder("top/data", modified: 1_700_000_000)
        var archive: [UInt8] = []
        for file in Self.files {
            try zip.beginFile(file.name, byteCount: file.bytes.count, modified: 1_700_000_000)
            for start in stride(from: 0, to: file.bytes.count, by: 1 << 20) {
                try zip.append(Array(file.bytes[start..<min(start + 1 << 20, file.bytes.count)]))
                archive += zip.takeOutput()
            }
        }
        try zip.finish()
        archive += zip.takeOutput()
        let path = NSTemporaryDirectory() + "/dbtool-\(UUID()).zip"
        try Data(archive).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private static func run(_ words: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment
            .merging(["PYTHONIOENCODING": "utf-8"]) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
