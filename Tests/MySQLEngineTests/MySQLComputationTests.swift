import Testing

@testable import MySQLEngine

@Suite struct MySQLComputationTests {
    private static let time = "`ts` timestamp NOT NULL,\n  `at` datetime DEFAULT NULL"

    private static let statements: [(String, String, Bool, [String])] = [
        ("KEY `k` (`ts`)", "", false, []),
        ("`d` date GENERATED ALWAYS AS (cast(`ts` as date)) STORED", "", true, ["d"]),
        ("`d` date GENERATED ALWAYS AS (cast(`at` as date)) STORED", "", true, []),
        ("`d` date GENERATED ALWAYS AS (cast(`ts` as date)) VIRTUAL", "", true, []),
        (
            "`d` date GENERATED ALWAYS AS (cast(`TS` as date)) VIRTUAL,\n  KEY `k` (`id`(3),`d`)",
            "",
            true, ["k"]
        ),
        (
            "`d` int GENERATED ALWAYS AS (hour(`ts`)) VIRTUAL,\n  `e` int GENERATED ALWAYS AS ((`d` + 1)) STORED",
            "", true, ["e"]
        ),
        ("KEY `k` ((cast(`ts` as date)))", "", true, ["k"]),
        ("UNIQUE KEY `k` (`id`,(cast(`at` as date)))", "", true, []),
        ("`u` bigint GENERATED ALWAYS AS (unix_timestamp(`ts`)) STORED", "", true, []),
        ("`u` bigint GENERATED ALWAYS AS (unix_timestamp(`at`)) STORED", "", true, ["u"]),
        ("CONSTRAINT `c` CHECK ((`id` <> 'x'))", "", true, []),
        ("`c` date DEFAULT (cast(`at` as date)) COMMENT 'CHECK GENERATED KEY'", "", false, []),
        (
            "`d` date GENERATED ALWAYS AS (cast(`ts` as date)) VIRTUAL",
            "\n/*!50500 PARTITION BY RANGE  COLUMNS(d)\n(PARTITION a VALUES LESS THAN (MAXVALUE) ENGINE = InnoDB) */",
            true, ["partitions"]
        ),
        (
            "`d` date GENERATED ALWAYS AS (cast(`ts` as date)) VIRTUAL",
            "\n PARTITION BY RANGE (unix_timestamp(`ts`))\n(PARTITION `d` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)",
            true, []
        ),
    ]

    @Test(arguments: statements)
    func `what is computed, and what of it a zone decides, is read from the statement`(
        part: String, tail: String, isThere: Bool, zoned: [String]
    ) {
        let computation = MySQLComputation(
            "CREATE TABLE `t` (\n  `id` varchar(9) NOT NULL,\n  \(Self.time),\n  \(part)\n) ENGINE=InnoDB\(tail)"
        )
        #expect(computation.isThere == isThere)
        #expect(computation.zoned == zoned)
    }

    private static let days: [(String, Bool)] = [
        ("2021-02-28", false), ("2021-02-29", true), ("2020-02-29", false), ("2020-02-30", true),
        ("1900-02-29", true), ("2000-02-29", false), ("0000-02-29", true), ("2021-04-31", true),
        ("2021-12-31", false), ("2021-00-31", false), ("2021-02-00", false), ("0000-00-00", false),
        ("2021-02-31 10:00:00.5", true), ("", false),
    ]

    @Test(arguments: days)
    func `a day that no calendar has is known`(text: String, isLacking: Bool) {
        let lacks = Array(text.utf8).withUnsafeBytes { MySQLCalendar.lacksDay($0) }
        #expect(lacks == isLacking)
    }
}
