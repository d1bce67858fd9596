import Testing

@testable import PostgresEngine

/// What pg_dump and pg_restore are told.
@Suite struct PostgresProgramsTests {
    @Test(arguments: [
        "DB_PASSWORD", "DB_DRILL_URL", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "PGHOST",
        "PGSERVICE", "pgpassword", "PATHS",
    ])
    func `a variable that no program needs stays here`(name: String) {
        let environment = PostgresPrograms.environment(of: [name: "s3cr3t"], with: [:])
        #expect(environment == ["LC_ALL": "C"])
    }

    @Test(arguments: [
        "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "KRB5CCNAME", "KRB5_CONFIG", "SSL_CERT_FILE",
    ])
    func `a variable that a program needs is passed on`(name: String) {
        let environment = PostgresPrograms.environment(of: [name: "a value"], with: [:])
        #expect(environment == ["LC_ALL": "C", name: "a value"])
    }

    @Test func `a connection's own variables are all there are of theirs`() {
        let environment = PostgresPrograms.environment(
            of: ["PGHOST": "elsewhere", "PGOPTIONS": "-c x=y", "LC_ALL": "de_DE.UTF-8"],
            with: ["PGHOST": "here"])
        #expect(environment == ["PGHOST": "here", "LC_ALL": "C"])
    }
}
