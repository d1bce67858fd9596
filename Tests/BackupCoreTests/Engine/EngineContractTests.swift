import BackupTesting
import Testing

@testable import BackupCore

@Suite struct EngineContractTests {
    @Test(arguments: EngineContract.checks)
    func `memory keeps the contract`(_ check: ContractCheck<EngineSubject>) async throws {
        let sample = EngineSample()
        let server = MemoryServer(["shop": sample.memoryDatabase])
        let subject = EngineSubject(
            engine: MemoryEngine(server), sample: sample, target: "restored",
            addLateRow: {
                try server.change("shop") { $0[rows: sample.items]?.append(sample.lateRow) }
            },
            dropItems: {
                try server.change("shop") { shop in
                    shop.contents.removeAll { $0.table.name == sample.items }
                }
            }, targetRows: { server["restored"]?[rows: $0] ?? [] },
            targetSequence: { name in
                let sequences = server["restored"]?.sequences ?? []
                return try #require(sequences.first { $0.name == name.name })
            })
        try await check.run(on: subject)
    }
}
