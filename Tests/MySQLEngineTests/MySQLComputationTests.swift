import BackupCore
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
        ("`f` datetime GENERATED ALWAYS AS (from_unixtime(`n`)) STORED", "", true, ["f"]),
        ("KEY `k` ((from_unixtime(`n`)))", "", true, ["k"]),
        ("CONSTRAINT `c` CHECK ((`id` <> 'x'))", "", false, []),
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
        part: String, tail: String, computesDays: Bool, zoned: [String]
    ) {
        let computation = MySQLComputation(
            "CREATE TABLE `t` (\n  `id` varchar(9) NOT NULL,\n  \(Self.time),\n  \(part)\n) ENGINE=InnoDB\(tail)"
        )
        #expect(computation.computesDays == computesDays)
        #expect(computation.zoned == zoned)
    }

    private static let expressions: [(String, Bool, [String])] = [
        (
            "`j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`))",
            false, []
        ),
        ("CONSTRAINT `c` CHECK ((`at` > _utf8mb4'2000-01-01'))", false, []),
        (
            "CONSTRAINT `c` CHECK ((`at` > _utf8mb4'2000-01-01')) /*!80016 NOT ENFORCED */",
            false, []
        ),
        ("CONSTRAINT `c` CHECK ((`at` > _utf8mb4'2021-02-31'))", true, []),
        ("CONSTRAINT `c` CHECK ((`at` > `id`))", true, []),
        ("CONSTRAINT `c` CHECK ((`at` > 20210231))", true, []),
        ("CONSTRAINT `c` CHECK ((`id` is null) or (cast(`id` as date) is not null))", true, []),
        ("`c` int GENERATED ALWAYS AS ((`n` + 1)) STORED,\n  KEY `k` (`c`)", false, []),
        (
            "`c` varchar(9) COLLATE utf8mb4_bin GENERATED ALWAYS AS (lower(`id`)) VIRTUAL,\n  KEY `k` (`c`)",
            false, []
        ),
        ("`c` date GENERATED ALWAYS AS (`id`) STORED,\n  KEY `k` (`c`)", true, []),
        (
            "`c` int GENERATED ALWAYS AS (to_days(`id`)) VIRTUAL,\n  KEY `k` (`c`),\n  KEY `n` (`id`)",
            true, ["k"]
        ),
        ("UNIQUE KEY `k` ((str_to_date(`id`,_utf8mb4'%Y')))", true, ["k"]),
        ("KEY `k` ((concat(`id`,_latin1'x')))", false, []),
    ]

    @Test(arguments: expressions)
    func `what may make days of texts is told from what does not`(
        part: String, computesDays: Bool, keys: [String]
    ) {
        let computation = MySQLComputation(
            "CREATE TABLE `t` (\n  `id` varchar(9) NOT NULL,\n  \(Self.time),\n  \(part)\n) ENGINE=InnoDB"
        )
        #expect(computation.computesDays == computesDays)
        #expect(computation.keysOfDays == Set(keys.map(ExactText.init)))
    }

    private static let keys: [(String, String, [String], [String])] = [
        ("KEY `k` ((lower(`id`)))", "", [], ["k"]),
        ("UNIQUE KEY `k` ((lower(`id`))),\n  KEY `n` (`id`)", "", ["k"], ["k"]),
        ("UNIQUE KEY `k` (`id`)", "", [], []),
        ("UNIQUE KEY `k` (`v`),\n  KEY `n` (`id`(3))", "", [], []),
        (
            "KEY `k` ((lower(`id`))),\n  KEY `n` (`v`)",
            "\n/*!50100 PARTITION BY KEY (id)\nPARTITIONS 3 */", ["k"], ["k"]
        ),
    ]

    @Test(arguments: keys)
    func `keys that would make all rows be written anew are told from others`(
        part: String, tail: String, withTable: [String], onExpressions: [String]
    ) throws {
        let columns = """
            `id` varchar(9) NOT NULL,
              `at` datetime DEFAULT NULL,
              `d` date GENERATED ALWAYS AS (cast(`id` as date)) STORED,
              `v` date GENERATED ALWAYS AS (cast(`id` as date)) VIRTUAL,
              PRIMARY KEY (`id`)
            """
        let text = "CREATE TABLE `t` (\n  \(columns),\n  \(part)\n) ENGINE=InnoDB\(tail)"
        let computation = MySQLComputation(text)
        #expect(computation.keysWithTable == Set(withTable.map(ExactText.init)))
        #expect(computation.keysOnExpressions == Set(onExpressions.map(ExactText.init)))
        #expect(computation.dayColumns == ["at", "d"])
        let later = try MySQLTableStatement(text, database: "d").indexes.map(\.name)
        #expect(Set(later).isDisjoint(with: withTable))
        #expect(later.count == (part.contains("`n`") ? 2 : 1) - withTable.count)
    }

    private static let companies: [(String, [String])] = [
        ("UNIQUE KEY `u` ((lower(`id`))),\n  KEY `e` ((upper(`id`))),\n  KEY `n` (`d`)", ["n"]),
        ("KEY `u` (`c`,(lower(`id`))),\n  KEY `e` ((upper(`id`))),\n  KEY `n` (`d`)", ["n"]),
        ("UNIQUE KEY `u` (`d`),\n  KEY `c` (`c`),\n  KEY `e` ((upper(`id`)))", ["u", "e"]),
    ]

    @Test(arguments: companies)
    func `a key on an expression that is made with the table takes all others with it`(
        keys: String, later: [String]
    ) throws {
        let text = """
            CREATE TABLE `t` (
              `id` varchar(9) NOT NULL,
              `c` int NOT NULL AUTO_INCREMENT,
              `d` date GENERATED ALWAYS AS (cast(`id` as date)) STORED,
              PRIMARY KEY (`id`),
              \(keys)
            ) ENGINE=InnoDB
            """
        let table = try MySQLTableStatement(text, database: "d")
        #expect(table.indexes.map(\.name) == later)
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
