import Testing

@testable import PostgresEngine

/// What an error of the server says about what it was asked for.
@Suite struct PostgresErrorTests {
    @Test(arguments: [
        ("53100", true), ("53200", true), ("40P01", true), ("57014", true), ("58030", true),
        ("58P01", false),
        ("25006", true), ("22P02", false), ("23505", false), ("42883", false), ("54000", false),
        ("XX000", false), ("", false),
    ])
    func `an error that another time might not bring is told apart`(
        sqlState: String, isCircumstantial: Bool
    ) {
        #expect(PostgresError.isCircumstantial(sqlState) == isCircumstantial)
    }

    @Test(arguments: [
        ("23514", true), ("23503", true), ("P0001", true), ("P0002", true), ("22012", true),
        ("21000", true), ("UE001", true),
        ("42501", false), ("42883", false), ("53100", false), ("57014", false), ("08006", false),
        ("55P03", false), ("XX000", false), ("", false),
    ])
    func `an error that may be for what other tables do not hold yet is told apart`(
        sqlState: String, mayBeOfRows: Bool
    ) {
        #expect(PostgresError.mayBeOfRows(sqlState) == mayBeOfRows)
    }

    @Test(arguments: [
        (
            """
            pg_restore: error: could not execute query: FATAL:  terminating connection due to administrator command
            server closed the connection unexpectedly
            """, true
        ),
        (
            "pg_restore: error: connection to server at \"localhost\", port 5432 failed: refused",
            true
        ),
        (
            "pg_restore: error: could not execute query: server closed the connection unexpectedly",
            true
        ),
        (
            """
            pg_restore: error: could not execute query: ERROR:  connection to server is not a type
            Command was: CREATE FUNCTION f() RETURNS text AS $$
            connection to server $$;
            """, false
        ),
        (
            "pg_restore: error: could not execute query: ERROR:  could not create unique index \"a\"",
            false
        ),
    ])
    func `pg_restore tells of a lost connection in words of its own`(
        messages: String, isLost: Bool
    ) {
        #expect(PostgresRestoreProblem.tellOfLostConnection(messages) == isLost)
    }
}
