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
}
