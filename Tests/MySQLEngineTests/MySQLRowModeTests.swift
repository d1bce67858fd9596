import BackupCore
import Testing

@testable import MySQLEngine

/// What decides in which mode the rows of a table come.
@Suite struct MySQLRowModeTests {
    private static let neverNull: [(String, Bool, [String])] = [
        ("`c` date GENERATED ALWAYS AS (cast(`id` as date)) STORED", false, []),
        (
            "`c` date GENERATED ALWAYS AS (if((`id` is not null),cast(`id` as date),NULL)) STORED",
            false, []
        ),
        ("`c` date GENERATED ALWAYS AS (cast(`id` as date)) STORED NOT NULL", true, ["c"]),
        ("`c` int GENERATED ALWAYS AS ((`n` DIV 2)) VIRTUAL NOT NULL COMMENT 'x'", true, []),
        (
            "`d` date GENERATED ALWAYS AS (`id`) VIRTUAL,\n  `c` int GENERATED ALWAYS AS ((`D` + 1)) STORED NOT NULL",
            true, ["c"]
        ),
    ]

    @Test(arguments: neverNull)
    func `columns that are never NULL are known, and which of them days are computed for`(
        part: String, isThere: Bool, ofDays: [String]
    ) {
        let computation = MySQLComputation(
            "CREATE TABLE `t` (\n  `id` varchar(9) NOT NULL,\n  \(part)\n) ENGINE=InnoDB")
        #expect(computation.hasNeverNull == isThere)
        #expect(computation.daysNeverNull == ofDays)
        #expect(!computation.hasConditions)
    }

    private static let values: [(String, Bool)] = [
        ("KEY `k` (`id`(3))", false),
        ("`c` int GENERATED ALWAYS AS ((`n` + 1)) VIRTUAL", true),
        ("KEY `k` ((concat(`id`,_latin1'x')))", true),
        ("CONSTRAINT `c` CHECK ((`id` <> 'x'))", true),
        ("`j` longtext DEFAULT NULL CHECK (json_valid(`j`))", false),
        ("CONSTRAINT `c` CHECK (json_valid(`id`))", false),
        ("CONSTRAINT `c` CHECK ((json_valid(`id`) or (`id` = 1)))", true),
    ]

    @Test(arguments: values)
    func `whether a table computes at all is known`(part: String, isComputing: Bool) {
        let computation = MySQLComputation(
            "CREATE TABLE `t` (\n  `id` varchar(9) NOT NULL,\n  \(part)\n) ENGINE=InnoDB")
        #expect(computation.computesValues == isComputing)
    }

    private static let zeros: [(String, Bool)] = [
        ("0000-00-00", true), ("0000-00-00 00:00:00+00:00", true), ("2021-00-10", true),
        ("2021-10-00", true), ("0000-01-01", false), ("2020-10-20", false), ("2001-01-01", false),
        ("", false),
    ]

    @Test(arguments: zeros)
    func `a day with zeros is known`(text: String, hasZeros: Bool) {
        #expect(Array(text.utf8).withUnsafeBytes { MySQLCalendar.hasZeros($0) } == hasZeros)
    }

    @Test func `a mode is against zeros only where the server is`() {
        typealias Mode = MySQLSession.RowMode
        let server: Set<String> = ["NO_ZERO_DATE", "STRICT_TRANS_TABLES"]
        let zeros = Mode(takesAnyDay: false, takesZeros: true)
        #expect(Mode.computing.words(beside: server).hasSuffix(",NO_ZERO_DATE"))
        #expect(Mode.computing.words(beside: []) == zeros.words(beside: server))
        #expect(Mode.exact.words(beside: server) == Mode.exact.words(beside: []))
        #expect(Mode.exact.words(beside: []).hasSuffix(",ALLOW_INVALID_DATES"))
        let more: Set<String> = ["PAD_CHAR_TO_FULL_LENGTH", "ANSI_QUOTES"]
        for mode in Mode.all {
            #expect(mode.words(beside: more).contains("PAD_CHAR_TO_FULL_LENGTH"))
            #expect(!mode.words(beside: more).contains("ANSI_QUOTES"))
        }
    }

    @Test func `records are picked out of a batch and put together again`() {
        let batch = RowBatch(bytes: Array("a\nbb\nccc\n\n".utf8), ends: [2, 5, 9, 10])
        let odd = batch.records { $0 % 2 == 1 }
        #expect(odd.bytes == Array("bb\n\n".utf8))
        #expect(odd.ends == [3, 4])
        let none = batch.records { _ in false }
        #expect(none.isEmpty)
        let joined = RowBatch(joining: [odd, none, batch.records { $0 % 2 == 0 }])
        #expect(joined.bytes == Array("bb\n\na\nccc\n".utf8))
        #expect(joined.ends == [3, 4, 6, 10])
    }
}
