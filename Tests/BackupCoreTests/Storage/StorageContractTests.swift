import BackupCore
import BackupTesting
import Testing

@Suite struct StorageContractTests {
    @Test(arguments: StorageContract.checks)
    func `memory keeps the contract`(_ check: ContractCheck<any Storage>) async throws {
        try await check.run(on: MemoryStorage())
    }

    @Test(arguments: StorageContract.checks)
    func `a folder keeps the contract`(_ check: ContractCheck<any Storage>) async throws {
        try await withTemporaryFolder { folder in
            try await check.run(on: LocalStorage(path: "\(folder)/not/yet there"))
        }
    }
}
