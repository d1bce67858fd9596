import BackupCore
import Testing

@testable import MySQLEngine

/// What an error of the server says about what it was asked for.
@Suite struct MySQLErrorTests {
    private static let numbers: [(UInt32, Bool)] = [
        (1021, true), (1114, true), (1213, true), (3024, true), (1836, true), (1062, false),
        (1064, false), (1452, false), (1406, false), (0, false),
    ]

    @Test(arguments: numbers)
    func `an error that another time might not bring is told apart`(
        number: UInt32, isCircumstantial: Bool
    ) {
        let error = MySQLError(number: number, message: "words").backupError(while: "loading")
        #expect(error.isCircumstantial == isCircumstantial)
    }
}
