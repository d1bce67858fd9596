import BackupTesting

extension MySQLBench {
    /// Fills the source with one of each thing that a privilege of its own shows.
    func fillWithOneOfEach() async throws {
        try await source.query(
            """
            CREATE TABLE t (id int PRIMARY KEY, v int) ENGINE = InnoDB; INSERT INTO t VALUES (1, 1), (2, 2);
            CREATE VIEW the_view AS SELECT id FROM t;
            CREATE TRIGGER the_trigger BEFORE UPDATE ON t FOR EACH ROW SET NEW.v = 2 * NEW.v;
            CREATE EVENT the_event ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01' DISABLE DO DELETE FROM t;
            CREATE PROCEDURE the_procedure() SELECT 1
            """)
    }
}

extension MySQLTestServer {
    /// What shows an account the bodies of procedures and functions, as between `GRANT` and `TO`.
    var routinePrivilege: String {
        isMariaDB ? "SELECT ON `mysql`.`proc`" : "SHOW_ROUTINE ON *.*"
    }

    /// Everything that a backup of everything needs, in the same way.
    var backupPrivileges: [String] {
        ["SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON {}.*", routinePrivilege]
    }

    /// All that it takes to back up what acts for root and to restore it into any database of a test, without being an
    /// administrator.
    var ownerPrivileges: [String] {
        ["ALL ON `{}%`.*", routinePrivilege]
            + [isMariaDB ? "SET USER ON *.*" : "SET_ANY_DEFINER, SYSTEM_USER ON *.*"]
    }
}
