import BackupCore
import Testing

@testable import PostgresEngine

/// Where sequences may stand.
@Suite struct PostgresSequencesTests {
    @Test(arguments: [-5, 1, 10] as [Int64])
    func `a sequence between its limits can be put there again`(place: Int64) throws {
        try PostgresSequences.check([value(place)], against: [sequence(from: -5, to: 10)])
    }

    @Test(arguments: [.min, -6, 11, .max] as [Int64])
    func `a sequence beyond limits that it had is that of a changed source`(place: Int64) {
        let error = #expect(throws: BackupError.self) {
            try PostgresSequences.check(
                [value(1), value(place)],
                against: [sequence(from: 1, to: 1), sequence(from: -5, to: 10)])
        }
        #expect(error?.code == .sourceChanged && error?.message.contains("public.s") == true)
    }

    private func sequence(from smallest: Int64, to largest: Int64) -> PostgresSequences.Sequence {
        PostgresSequences.Sequence(
            name: TableName(schema: "public", name: "s"), mayRead: true, maySeeSchema: true,
            isUnknown: false, isOfLeftOut: false, smallest: smallest, largest: largest)
    }

    private func value(_ place: Int64) -> SequenceValue {
        SequenceValue(schema: "public", name: "s", lastValue: place, isCalled: true)
    }
}
