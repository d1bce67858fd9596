import BackupCore
import Testing

@testable import MySQLEngine

/// What an error of the server says about what it was asked for.
@Suite struct MySQLErrorTests {
    private static let numbers: [(UInt32, String, Bool)] = [
        (1021, "", true), (1114, "", true), (1213, "", true), (3024, "", true), (1836, "", true),
        (1878, "", true), (1062, "", false), (1064, "", false), (1452, "", false),
        (1406, "", false), (0, "", false),
        (1030, "Got error 28 \"No space left on device\" from storage engine InnoDB", true),
        (1030, "Got error 168 \"Unknown (generic) error from engine\"", false),
    ]

    @Test(arguments: numbers)
    func `an error that another time might not bring is told apart`(
        number: UInt32, message: String, isCircumstantial: Bool
    ) {
        let error = MySQLError(number: number, message: message).backupError(while: "loading")
        #expect(error.isCircumstantial == isCircumstantial)
    }

    /// As nodes of Galera and Percona's clusters refuse it; a wait that was cut short is no refusal.
    @Test(
        arguments: [(1235, true), (1105, true), (1205, false), (1317, false)] as [(UInt32, Bool)])
    func `a server that has no locks by name is told apart`(number: UInt32, refuses: Bool) {
        #expect(MySQLError(number: number, message: "").refusesNamedLocks == refuses)
    }

    private static let damages: [(UInt32, String, Bool)] = [
        (126, "", true), (145, "Table './shop/t' is marked as crashed", true), (176, "", true),
        (1034, "", true), (1194, "", true), (1195, "", true),
        (1030, "Got error 127 \"Record file is crashed\" from storage engine MyISAM", true),
        (1030, "Got error 28 \"No space left on device\" from storage engine MyISAM", false),
        (1016, "Can't open file: 't' (errno: 145 \"Table was marked as crashed\")", true),
        (1016, "Can't open file: 't' (errno: 24 \"Too many open files\")", false),
        (1142, "", false), (1146, "", false), (1205, "", false), (2013, "", false),
    ]

    @Test(arguments: damages)
    func `a table that is damaged is told from one that cannot be read for another reason`(
        number: UInt32, message: String, isDamaged: Bool
    ) {
        #expect(MySQLError(number: number, message: message).isDamagedTable == isDamaged)
    }

    @Test func `a table that may not be referred to is told from one that may not be altered`() {
        func refusesReference(_ number: UInt32, _ message: String) -> Bool {
            MySQLError(number: number, message: message).refusesReference
        }
        #expect(refusesReference(1142, "REFERENCES command denied to user 'u'@'%' for table 'c'"))
        #expect(refusesReference(1143, "REFERENCES command denied to user 'u'@'%' for column 'id'"))
        #expect(!refusesReference(1142, "ALTER command denied to user 'u'@'%' for table 't'"))
    }

    @Test func `what lets an account in is granted on one database`() {
        var settings = MySQLSettings()
        settings.database = "my_app"
        let words = "Access denied for user 'u'@'%' to database 'my_app'"
        let refusal = MySQLLogin(settings).refusal(MySQLError(number: 1044, message: words))
        #expect(refusal.hint?.hasSuffix("ON `my\\_app`.* TO 'u'@'%';") == true, "\(refusal)")
    }

    @Test(
        arguments: [
            (1040, "Too many connections", ["--jobs", "max_connections"]),
            (
                1203, "User u already has more than 'max_user_connections' active connections",
                ["--jobs", "max_user_connections"]
            ),
            (
                1226,
                "User 'u' has exceeded the 'max_user_connections' resource (current value: 2)",
                ["--jobs", "max_user_connections"]
            ),
            (
                1226,
                "User 'u' has exceeded the 'max_connections_per_hour' resource (current value: 2)",
                ["hour", "ALTER USER"]
            ),
        ] as [(UInt32, String, [String])])
    func `who finds no room is told of the limit`(
        number: UInt32, message: String, words: [String]
    ) {
        let refusal = MySQLLogin(MySQLSettings())
            .refusal(MySQLError(number: number, message: message))
        for word in words { #expect(refusal.hint?.contains(word) == true, "\(refusal)") }
        #expect(refusal.hint?.contains("--host") == false)
    }

    @Test func `what a view shows may be out of reach, and views as such are not`() {
        func isOutOfReach(_ number: UInt32, _ message: String) -> Bool {
            MySQLMaker.isOutOfReach(MySQLError(number: number, message: message))
        }
        #expect(isOutOfReach(1142, "SELECT command denied to user 'u'@'%' for table 'customer'"))
        #expect(isOutOfReach(1429, "Unable to connect to foreign data source"))
        #expect(!isOutOfReach(1142, "CREATE VIEW command denied to user 'u'@'%' for table 'v'"))
        #expect(!isOutOfReach(1064, "You have an error in your SQL syntax"))
    }

    private static let refusals: [(UInt32, String, Bool)] = [
        (1267, "Illegal mix of collations (a,IMPLICIT) and (b,IMPLICIT) for operation '='", true),
        (1356, "View 'v' references invalid table(s)", true),
        (1142, "SELECT command denied to user 'u'@'%' for table 'customer'", true),
        (1142, "CREATE VIEW command denied to user 'u'@'%' for table 'v'", false),
        (1227, "Access denied; you need the SET_ANY_DEFINER privilege", false),
        (1050, "Table 'v' already exists", false),
        (1205, "Lock wait timeout exceeded; try restarting transaction", false),
        (1290, "The server is running with --super-read-only", false),
        (1021, "Disk full", false),
        (1016, "Can't open file: 't' (errno: 24 \"Too many open files\")", false),
        (13, "Can't get stat of './d/v.frm'", false),
        (2013, "Lost connection to server during query", false),
    ]

    @Test(arguments: refusals)
    func `a view is left out for what it is, and not for how the server is doing`(
        number: UInt32, message: String, leavesOut: Bool
    ) {
        let error = MySQLError(number: number, message: message)
        #expect(MySQLMaker.leavesViewOut(error) == leavesOut)
    }
}
