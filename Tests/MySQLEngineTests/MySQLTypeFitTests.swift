import Testing

@testable import MySQLEngine

/// Which columns take the rows of which others as they are.
@Suite struct MySQLTypeFitTests {
    @Test(arguments: [
        ("int(11)", "bigint"), ("int unsigned", "decimal(20,0)"),
        ("decimal(10,2)", "decimal(12,2)"), ("decimal(20,0) unsigned", "bigint unsigned"),
        ("decimal(10,0)", "int(11)"),
        ("float", "double"), ("datetime(3)", "datetime(6)"), ("date", "datetime"),
        ("varchar(9)", "text"),
        ("enum('a','b')", "char(1)"), ("json", "longtext"), ("binary(4)", "varbinary(9)"),
        ("uuid", "char(36)"),
    ])
    func `every value goes in`(source: String, target: String) {
        #expect(MySQLTypeFit.holds(source, in: target))
    }

    @Test(arguments: [
        ("decimal(10,2)", "decimal(10,1)"), ("decimal(10,2)", "int"), ("decimal(10,0)", "year"),
        ("double", "float"),
        ("float", "float(7,2)"),
        ("datetime(6)", "datetime(3)"), ("datetime", "date"), ("varchar(9)", "char(9)"),
        ("json", "char(99)"),
        ("binary(4)", "binary(8)"), ("longtext", "json"), ("text", "json"), ("varchar(9)", "json"),
        ("bit(8)", "int"),
    ])
    func `some value would become another`(source: String, target: String) {
        #expect(!MySQLTypeFit.holds(source, in: target))
    }

    /// MariaDB's name for it is an alias.
    @Test func `of MariaDB a long text may be a JSON`() {
        #expect(MySQLTypeFit.holds("longtext", in: "json", isOfMariaDB: true))
        #expect(!MySQLTypeFit.holds("text", in: "json", isOfMariaDB: true))
    }
}
