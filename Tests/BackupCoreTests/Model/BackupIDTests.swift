import BackupCore
import Foundation
import Testing

@Suite struct BackupIDTests {
    private static let noon = Date(timeIntervalSince1970: 1_735_732_800)

    @Test func `an id holds kind, database, UTC time and four digits`() {
        let id = BackupID(kind: .full, database: "mydb", at: Self.noon, random: 0xA1B2)
        #expect(id.text == "full_mydb_20250101_120000_a1b2")
        #expect("\(id)" == id.text)
        #expect(id.tail == "20250101_120000_a1b2")
        #expect(id.hexDigits == "a1b2")
    }

    @Test(arguments: [
        "mydb", "my_db", "_", "a__b_", "full_x_20250101_120000_a1b2", "My Db", "日本/x",
    ])
    func `an id is read as it was made`(database: String) throws {
        for kind in BackupKind.allCases {
            let id = BackupID(kind: kind, database: database, at: Self.noon, random: 7)
            let read = try #require(BackupID(id.text))
            #expect(read == id)
            #expect(read.kind == kind)
            #expect(read.encodedDatabase == FileNaming.encoded(database))
            #expect(read.hexDigits == "0007")
        }
    }

    @Test func `odd characters of a database are encoded`() {
        let id = BackupID(kind: .full, database: "a b/ü", at: Self.noon, random: 0)
        #expect(id.text == "full_a%20b%2F%C3%BC_20250101_120000_0000")
    }

    @Test func `the longest database name makes a name that a file system takes`() {
        let database = String(repeating: "日", count: 63)
        let id = BackupID(kind: .differential, database: database, at: Self.noon, random: 65535)
        #expect("\(id.text).zip".utf8.count <= 255)
        #expect(BackupID(id.text) == id)
    }

    @Test(arguments: [
        "", "full", "mydb", "full_mydb", "full_mydb_20250101_120000", "full_20250101_120000_a1b2",
        "full_mydb_20250101_120000_A1B2", "full_mydb_20250101_120000_a1b",
        "full_mydb_2025011_120000_a1b2",
        "full_mydb_20250101_1200000_a1b2", "full_mydb_2025010x_120000_a1b2",
        "Full_mydb_20250101_120000_a1b2",
        "half_mydb_20250101_120000_a1b2", "full_mydb_20250101_120000_a1b2.zip",
        "full_mydb_٢٠٢٥٠١٠١_120000_a1b2",
        " full_mydb_20250101_120000_a1b2", "full__20250101_120000_a1b2",
    ])
    func `what is no id is refused`(text: String) {
        #expect(BackupID(text) == nil)
    }
}
