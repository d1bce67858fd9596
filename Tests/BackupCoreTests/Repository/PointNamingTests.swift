import BackupTesting
import Testing

@testable import BackupCore

@Suite struct PointNamingTests {
    private static let backups = [
        ("full_a_20250101_120000_a1b2", "2025-01-01T12:00:00.5Z"),
        ("full_a_20250102_120000_c3d4", "2025-01-02T12:00:00Z"),
        ("full_a_20250102_130000_a1b3", "2025-01-02T13:00:00Z"),
        ("full_b_20250103_120000_eeee", "2025-01-03T12:00:00Z"),
    ]

    @Test(arguments: [
        ("full_a_20250101_120000_a1b2", "a1b2"), ("full_a_20250101", "a1b2"), ("c3d4", "c3d4"),
        ("a1b3", "a1b3"), ("full_b", "eeee"), ("latest", "a1b3"), ("LATEST", "a1b3"),
        ("2025-01-02T12:30:00", "c3d4"), ("2025-01-02T12:00:00Z", "c3d4"),
        ("2025-01-02T11:59:59Z", "a1b2"), ("2025-01-02 14:00+02:00", "c3d4"),
        ("2025-01-04", "a1b3"), ("2025-01-01T12:00:00Z", "a1b2"),
        ("2025-01-01 12:00:00 UTC", "a1b2"), ("2025-01-01T12:00:00.500000+00:00", "a1b2"),
    ])
    func `a point has many names`(name: String, hexDigits: String) async throws {
        let contents = try await RepositoryTests.repository(Self.backups).contents()
        #expect(try contents.point(named: name, database: "a").id.hexDigits == hexDigits)
    }

    @Test func `several points of one name are all listed`() async throws {
        let contents = try await RepositoryTests.repository(Self.backups).contents()
        let error = #expect(throws: BackupError.self) {
            try contents.point(named: "full_a_20250102")
        }
        #expect(error?.code == .usage)
        #expect(error?.hint?.contains("full_a_20250102_120000_c3d4") == true)
        #expect(error?.hint?.contains("full_a_20250102_130000_a1b3") == true)
    }

    @Test(arguments: ["", "ffff", "full_c", "yesterday", "A1B2"])
    func `an unknown name is not found`(name: String) async throws {
        let contents = try await RepositoryTests.repository(Self.backups).contents()
        let error = #expect(throws: BackupError.self) { try contents.point(named: name) }
        #expect(error?.code == .notFound)
        #expect(error?.hint != nil)
    }

    @Test(arguments: ["latest", "2025-01-04"])
    func `several databases need a choice`(name: String) async throws {
        let contents = try await RepositoryTests.repository(Self.backups).contents()
        let error = #expect(throws: BackupError.self) { try contents.point(named: name) }
        #expect(error?.code == .usage)
        #expect(error?.hint?.contains("a, b") == true)
        #expect(try contents.point(named: name, database: "b").id.hexDigits == "eeee")
    }

    @Test func `nothing is older than the oldest`() async throws {
        let contents = try await RepositoryTests.repository(Self.backups).contents()
        for time in ["2025-01-01T12:00:00.4Z", "2025-01-01T11:59:59Z", "2024-12-31"] {
            let error = #expect(throws: BackupError.self) {
                try contents.point(named: time, database: "a")
            }
            #expect(error?.code == .notFound, "\(time)")
        }
    }

    @Test func `an empty repository has no latest point`() async throws {
        let contents = try await RepositoryTests.repository([]).contents()
        let error = #expect(throws: BackupError.self) { try contents.point(named: "latest") }
        #expect(error?.code == .notFound)
    }

    @Test func `an incomplete backup counts only when it is named`() async throws {
        let contents =
            try await RepositoryTests
            .repository([Self.backups[0]], status: .incomplete).contents()
        #expect(throws: BackupError.self) { try contents.point(named: "latest") }
        #expect(throws: BackupError.self) { try contents.point(named: "2025-01-04") }
        for name in ["a1b2", "full_a", Self.backups[0].0] {
            #expect(try contents.point(named: name).id.hexDigits == "a1b2")
        }
    }

    /// An older one in its place would go unnoticed.
    @Test func `a beginning may mean a backup that cannot be read`() async throws {
        let repository = try await RepositoryTests.repository(Self.backups)
        let newest = "full_a_20250102_130000_a1b3"
        let layer = "\(newest)/.backup_diff/20250102_140000_beef"
        for folder in [newest, layer] {
            try await repository.storage.write(
                StorageName(path: "\(folder)/metadata.json"), bytes: [])
        }
        let contents = try await repository.contents()
        let several = #expect(throws: BackupError.self) {
            try contents.point(named: "full_a_20250102")
        }
        #expect(several?.code == .usage && several?.hint?.contains(newest) == true)
        for name in ["full_a_20250102_13", "a1b3"] {
            let broken = #expect(throws: BackupError.self) { try contents.point(named: name) }
            #expect(broken?.code == .damaged && broken?.message.contains(newest) == true)
        }
        for name in ["differential_a_2025", "incremental_a_20250102_14", "beef"] {
            let broken = #expect(throws: BackupError.self) { try contents.point(named: name) }
            #expect(broken?.code == .damaged && broken?.message.contains(layer) == true)
        }
        #expect(try contents.point(named: "full_a_20250102_12").id.hexDigits == "c3d4")
    }

    @Test func `the named database chooses among several, and refuses another's digits`()
        async throws
    {
        let (shop, shops) = ("full_shop_20250101_120000_a1b2", "full_shop2_20250101_120000_a1b2")
        let other = "full_crm_20250101_120000_c3d4"
        let contents = try await RepositoryTests.repository(
            [shop, shops, other].map { ($0, "2025-01-01T12:00:00Z") }
        ).contents()
        for name in ["a1b2", "full_shop", "full_"] {
            let several = #expect(throws: BackupError.self) { try contents.point(named: name) }
            #expect(several?.code == .usage, "\(name)")
            for (database, id) in [("shop", shop), ("shop2", shops)] {
                #expect(try contents.point(named: name, database: database).id.text == id)
            }
        }
        for name in ["c3d4", "full_c"] {
            #expect(try contents.point(named: name).id.text == other)
            #expect(try contents.point(named: name, database: "crm").id.text == other)
            let refused = #expect(throws: BackupError.self) {
                try contents.point(named: name, database: "shop")
            }
            #expect(refused?.code == .usage && refused?.message.contains(other) == true)
        }
        // These say themselves whose they are.
        for name in [other, "full_crm_2025"] {
            #expect(try contents.point(named: name, database: "shop").id.text == other)
        }
    }

    @Test func `a table is found by its pattern, and the nearest names are offered`() throws {
        var metadata = RepositoryTests.metadata(Self.backups[0].0, at: Self.backups[0].1)
        metadata.tables = TableRecords(
            [("public", "users"), ("sales", "users"), ("sales", "orders")].map {
                TableRecord(
                    Table(memory: $0.0, $0.1, columns: []), mode: .whole,
                    fingerprint: StoredFingerprint(Fingerprint()))
            })
        #expect(try metadata.table(matching: TablePattern("users")).schema == "public")
        #expect(try metadata.table(matching: TablePattern("sales.o*")).name == "orders")
        let missing = #expect(throws: BackupError.self) {
            try metadata.table(matching: TablePattern("user"))
        }
        #expect(missing?.code == .usage && missing?.hint?.contains("users") == true)
        let several = #expect(throws: BackupError.self) {
            try metadata.table(matching: TablePattern("sales.*"))
        }
        #expect(several?.code == .usage)
    }
}
