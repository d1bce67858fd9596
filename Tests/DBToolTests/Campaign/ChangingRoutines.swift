/// Views, routines, triggers and events of a MySQL or MariaDB database, which somebody replaces again and again.
///
/// Each statement is a moment of its own there, and what is replaced while it is read may be the older or the newer one: whoever
/// sees it sees one of the two.
struct ChangingRoutines: ChangingThings {
    let server: any CampaignServer

    func make() async throws {
        try await server.query(
            """
            CREATE TABLE stamps (id int PRIMARY KEY, stamp int NOT NULL);
            INSERT INTO stamps SELECT id, 0 FROM people WHERE id <= 200;
            CREATE EVENT yearly ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01' DISABLE DO DELETE FROM stamps WHERE id = 0;
            \(changes(0).joined(separator: "; "))
            """, in: server.source)
    }

    func changes(_ stamp: Int) -> [String] {
        [
            "UPDATE stamps SET stamp = \(stamp)",
            "CREATE OR REPLACE VIEW shown AS SELECT id, \(stamp) AS stamp FROM stamps",
            """
            DROP VIEW IF EXISTS passing; DO SLEEP(0.05);
            CREATE VIEW passing AS SELECT id, \(stamp) AS stamp FROM stamps
            """,
            """
            DROP FUNCTION IF EXISTS told; CREATE FUNCTION told() RETURNS int DETERMINISTIC RETURN \(stamp)
            """,
            "DROP PROCEDURE IF EXISTS telling; CREATE PROCEDURE telling() SELECT \(stamp)",
            """
            DROP TRIGGER IF EXISTS watching;
            CREATE TRIGGER watching BEFORE INSERT ON stamps FOR EACH ROW SET NEW.stamp = \(stamp)
            """,
            "ALTER EVENT yearly COMMENT '\(stamp)'",
            "ALTER TABLE stamps ALTER stamp SET DEFAULT \(stamp), COMMENT = '\(stamp)'",
        ]
    }

    func faults(of database: String) async throws -> [String] {
        var faults: [String] = []
        for table in ["stamps", "shown"] {
            let told = try await server.query(
                "SELECT COUNT(*), COUNT(DISTINCT stamp) FROM \(table)", in: database)
            if told != "200\t1" { faults.append("\(table) is of several moments: \(told)") }
        }
        // One statement gives both.
        let structure = try await server.query(
            """
            SELECT CAST(c.COLUMN_DEFAULT AS SIGNED) = CAST(t.TABLE_COMMENT AS SIGNED)
            FROM information_schema.TABLES t JOIN information_schema.COLUMNS c USING (TABLE_SCHEMA, TABLE_NAME)
            WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = 'stamps' AND c.COLUMN_NAME = 'stamp'
            """, in: database)
        if structure != "1" { faults.append("the structure of stamps is of two moments") }
        return faults
    }
}
