import Testing

@testable import MySQLEngine

/// Between MySQL and MariaDB the first thing is named that the other one does not have.
@Suite struct MySQLObstacleTests {
    private static let mariaDB = MySQLObstacle(
        isMariaDB: true, collations: ["utf8mb4_bin", "utf8mb4_general_ci"],
        engines: ["innodb", "aria"])
    private static let mysql = MySQLObstacle(
        isMariaDB: false, collations: ["utf8mb4_bin", "utf8mb4_0900_ai_ci"], engines: ["innodb"])

    private static let end = "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
    private static let otherwise = ", which it does not have or means otherwise"

    private static func table(_ columns: String) -> MySQLObject {
        MySQLObject(
            kind: .table, name: "t",
            statement: "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  \(columns)\(end)")
    }

    /// Lines of tables as MySQL prints them, and what MariaDB has not.
    @Test(arguments: [
        ("`p` point NOT NULL /*!80003 SRID 4326 */", "binds a column to one SRID"),
        ("`v` int DEFAULT NULL /*!80023 INVISIBLE */", "has INVISIBLE columns or indexes"),
        ("`v` int,\n  KEY `v` (`v`) /*!80000 INVISIBLE */", "has INVISIBLE columns or indexes"),
        (
            "`v` int,\n  CONSTRAINT `c` CHECK ((`v` > 0)) /*!80016 NOT ENFORCED */",
            "has a condition that is NOT ENFORCED"
        ),
        ("`a` text,\n  KEY `k` ((lower(`a`)))", "has a key on an expression"),
        ("`a` text,\n  UNIQUE KEY `k` (`a`(10),(lower(`a`)))", "has a key on an expression"),
        (
            "`j` json,\n  KEY `k` ((cast(json_extract(`j`,_utf8mb4'$.a') as char(20) array)))",
            "has a key on an expression"
        ),
        ("`v` vector(3) DEFAULT NULL", "has a column of the type VECTOR"),
        ("`g` geomcollection DEFAULT NULL", "has a column of the type GEOMCOLLECTION"),
    ])
    func `what MariaDB does not have of a table of MySQL is named`(line: String, words: String) {
        let named = Self.mariaDB.first(in: [Self.table(line)])
        #expect(named == "table t \(words)\(Self.otherwise)")
    }

    /// Lines of tables as MariaDB prints them, and what MySQL has not.
    @Test(arguments: [
        ("`v` int(11) INVISIBLE DEFAULT 9", "has INVISIBLE columns"),
        ("`v` int(11),\n  KEY `v` (`v`) IGNORED", "has IGNORED indexes"),
        ("`c` text /*!100301 COMPRESSED*/ DEFAULT NULL", "has COMPRESSED columns"),
        ("`c` text /*M!100301 COMPRESSED*/ DEFAULT NULL", "has COMPRESSED columns"),
        ("`u` uuid DEFAULT NULL", "has a column of the type UUID"),
        ("`a` inet6 DEFAULT NULL", "has a column of the type INET6"),
        ("`n` bigint(20) DEFAULT nextval(`d`.`s`)", "counts by a sequence (NEXTVAL)"),
        (
            "`s` date,\n  `e` date,\n  UNIQUE KEY `k` (`id`,`p` WITHOUT OVERLAPS),\n  PERIOD FOR `p` (`s`, `e`)",
            "has a key WITHOUT OVERLAPS"
        ),
        ("`s` date,\n  `e` date,\n  PERIOD FOR `p` (`s`, `e`)", "has a PERIOD"),
    ])
    func `what MySQL does not have of a table of MariaDB is named`(line: String, words: String) {
        let named = Self.mysql.first(in: [Self.table(line)])
        #expect(named == "table t \(words)\(Self.otherwise)")
    }

    @Test func `versions of rows are named, and sequences before the tables that need them`() {
        let versioned = MySQLObject(
            kind: .table, name: "t",
            statement: "CREATE TABLE `t` (\n  `id` int(11)\(Self.end) WITH SYSTEM VERSIONING")
        #expect(
            Self.mysql.first(in: [versioned])
                == "table t keeps its history by SYSTEM VERSIONING\(Self.otherwise)")
        let sequence = MySQLObject(kind: .sequence, name: "s", statement: "CREATE SEQUENCE `s`")
        #expect(
            Self.mysql.first(in: [sequence, versioned])
                == "it has no sequences, and sequence s is one")
    }

    @Test(arguments: [
        ("utf8mb4_0900_ai_ci", false), ("utf8mb4_uca1400_ai_ci", true),
    ])
    func `collations that only one of them has are named`(collation: String, isMariaDBs: Bool) {
        let table = Self.table("`v` varchar(9) COLLATE \(collation) /*!80023 INVISIBLE */")
        let other = isMariaDBs ? Self.mysql : Self.mariaDB
        let named = other.first(in: [table])
        #expect(named == "it has no collation \(collation), which table t uses")
        let whole = MySQLObject(
            kind: .table, name: "t",
            statement: "CREATE TABLE `t` (\n  `id` int\n) ENGINE=InnoDB COLLATE=\(collation)")
        #expect(other.first(in: [whole]) == named)
        let view = MySQLObject(
            kind: .view, name: "v",
            statement: "CREATE VIEW `v` AS select `t`.`v` collate \(collation) AS `v` from `t`")
        #expect(
            other.first(in: [view]) == "it has no collation \(collation), which view v uses")
    }

    @Test func `storage engines are named, those of partitions too`() {
        let plain = MySQLObject(
            kind: .table, name: "t",
            statement: "CREATE TABLE `t` (\n  `id` int(11)\n) ENGINE=Aria PAGE_CHECKSUM=1")
        #expect(
            Self.mysql.first(in: [plain]) == "it has no storage engine Aria, which table t uses")
        let divided = MySQLObject(
            kind: .table, name: "t",
            statement: """
                CREATE TABLE `t` (
                  `id` int
                ) ENGINE=InnoDB
                /*!50100 PARTITION BY HASH (`id`) (PARTITION p0 ENGINE = ndbcluster) */
                """)
        #expect(
            Self.mariaDB.first(in: [divided])
                == "it has no storage engine ndbcluster, which table t uses")
    }

    /// Names, comments, and words that mean the same to both.
    @Test(arguments: [
        "`invisible` int COMMENT 'INVISIBLE SRID /*!80003 SRID 1 */'",
        "`uuid` char(36) DEFAULT NULL", "`a` text,\n  KEY `compressed` (`a`(10),`id`)",
        "`a` int,\n  PRIMARY KEY (`id`),\n  CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `t` (`id`)",
        "`a` int,\n  CONSTRAINT `c` CHECK ((`a` > (1 + 1)))",
    ])
    func `what both have is not named`(line: String) {
        let own = "they define table t in words of their own"
        #expect(Self.mariaDB.first(in: [Self.table(line)]) == own)
        #expect(Self.mysql.first(in: [Self.table(line)]) == own)
        let packed = MySQLObject(
            kind: .table, name: "t",
            statement: "CREATE TABLE `t` (\n  `id` int\n) ENGINE=InnoDB ROW_FORMAT=COMPRESSED")
        #expect(Self.mysql.first(in: [packed]) == own)
    }
}
