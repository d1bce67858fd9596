import Testing

@testable import MySQLEngine

/// Where a backup is in its server's log, and whether a server went on from there.
@Suite struct MySQLLogPlaceTests {
    /// What two moments say of the log.
    struct Case: Sendable {
        let parent: [String: String]
        let now: [String: String]
        let isSetBack: Bool

        init(_ parent: [String: String], _ now: [String: String], isSetBack: Bool) {
            (self.parent, self.now, self.isSetBack) = (parent, now, isSetBack)
        }

        /// By the sets of MySQL.
        static func sets(_ parent: String, _ now: String, isSetBack: Bool) -> Case {
            Case(["gtid_executed": parent], ["gtid_executed": now], isSetBack: isSetBack)
        }

        /// By the positions of MariaDB.
        static func domains(_ parent: String, _ now: String, isSetBack: Bool) -> Case {
            Case(["gtid_current_pos": parent], ["gtid_current_pos": now], isSetBack: isSetBack)
        }

        /// By file and position.
        static func files(
            _ parent: (String, String), _ now: (String, String), isSetBack: Bool
        ) -> Case {
            Case(
                ["file": parent.0, "position": parent.1], ["file": now.0, "position": now.1],
                isSetBack: isSetBack)
        }
    }

    private static let cases: [Case] = [
        .sets("ab-1:1-5", "ab-1:1-5", isSetBack: false),
        .sets("AB-1:1-5", "ab-1:1-3:4-9,\ncd-2:1", isSetBack: false),
        .sets("ab-1:1-5,\ncd-2:1-2", "ab-1:1-9", isSetBack: true),
        .sets("ab-1:1-5", "ab-1:1-4", isSetBack: true),
        .sets("ab-1:1-5:9", "ab-1:1-8", isSetBack: true),
        .sets("ab-1:1-5", "ab-1:1-3:5-9", isSetBack: true),
        .sets("ab-1:1-5", "", isSetBack: true),
        .sets("ab-1:1-5:nightly:1-2", "ab-1:1-9", isSetBack: true),
        .sets("ab-1:1-5:nightly:1-2", "ab-1:1-9:nightly:1-3", isSetBack: false),
        .sets("ab-1:1-5", "ab-1:five", isSetBack: true),
        // With no transaction a set tells nothing, and the file does.
        .sets("", "", isSetBack: false),
        Case(
            ["gtid_executed": "", "file": "b.000002", "position": "9"],
            ["gtid_executed": "", "file": "b.000001", "position": "9"], isSetBack: true),
        .domains("0-1-100,7-2-5", "0-3-101,7-2-5", isSetBack: false),
        .domains("0-1-100,7-2-5", "0-1-99,7-2-5", isSetBack: true),
        // MariaDB leaves out domains whose last transaction another server has made: the file tells more.
        .domains("0-1-100,7-2-5", "0-1-100", isSetBack: false),
        .domains("0-1-100,7-2-5", "", isSetBack: false),
        .domains("0-1-100,7-2-5", "0-1-99", isSetBack: true),
        Case(
            ["gtid_current_pos": "0-1-100,7-2-5", "file": "b.000009", "position": "900"],
            ["gtid_current_pos": "0-1-101", "file": "b.000010", "position": "4"], isSetBack: false),
        Case(
            ["gtid_current_pos": "0-1-100,7-2-5", "file": "b.000009", "position": "900"],
            ["gtid_current_pos": "0-1-100", "file": "b.000001", "position": "900"],
            isSetBack: true),
        .domains("0-1-100", "0-1", isSetBack: true),
        .files(("b.000009", "900"), ("b.000009", "900"), isSetBack: false),
        .files(("b.000009", "900"), ("b.000010", "4"), isSetBack: false),
        .files(("b.999999", "900"), ("b.1000000", "4"), isSetBack: false),
        .files(("b.000009", "900"), ("b.000009", "899"), isSetBack: true),
        .files(("b.000009", "900"), ("b.000001", "9000"), isSetBack: true),
        .files(("b.000009", "900"), ("other.000019", "900"), isSetBack: true),
        // The same place by other names.
        Case(
            ["binlog_snapshot_file": "b.000009", "binlog_snapshot_position": "900"],
            ["file": "b.000009", "position": "899"], isSetBack: true),
        Case(
            ["file": "b.000009", "position": "900"],
            ["near_file": "b.000009", "near_position": "899"], isSetBack: true),
        Case(
            ["near_gtid_executed": "ab-1:1-5"], ["gtid_executed": "ab-1:1-4"], isSetBack: true),
        // The set of a server that numbers them no more.
        Case(
            ["gtid_executed": "ab-1:1-5", "file": "b.000009", "position": "900"],
            ["file": "b.000010", "position": "4"], isSetBack: false),
        // Nobody knows.
        Case([:], ["file": "b.000001", "position": "4"], isSetBack: false),
        Case(["gtid_executed": "ab-1:1-5"], [:], isSetBack: false),
    ]

    @Test(arguments: cases)
    func `a server whose log is behind the parent's was set back`(known: Case) {
        let reason = MySQLLogPlace.setback(since: known.parent, to: known.now)
        #expect((reason != nil) == known.isSetBack, "\(known)")
    }

    @Test func `what was known shortly before is no place of the moment`() {
        let position = [
            "gtid_executed": "ab-1:1-5,\ncd-2:1", "file": "b.000009", "position": "900",
        ]
        #expect(MySQLLogPlace(of: MySQLLogPlace.nearby(position)) == nil)
        let quiet = MySQLLogPlace(of: MySQLLogPlace.nearby(position, besides: ["gtid_executed"]))
        #expect(quiet?.executed == "ab-1:1-5,cd-2:1" && quiet?.file == nil)
        #expect(MySQLLogPlace(of: position)?.position == "900")
        #expect(MySQLLogPlace(of: ["server_uuid": "ab-1"]) == nil)
    }
}
