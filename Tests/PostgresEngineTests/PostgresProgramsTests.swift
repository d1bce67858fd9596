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

    @Test func `warnings are told from what else a program says`() {
        let messages = """
            pg_dump: reading schemas
            pg_dump: warning: subscriptions not dumped because current user is not a superuser
            pg_dump-18: warning: owner of function "f" appears to be invalid
            pg_dump: detail: no warning: of anything
            """
        #expect(
            PostgresPrograms.warnings(in: messages) == [
                "subscriptions not dumped because current user is not a superuser",
                "owner of function \"f\" appears to be invalid",
            ])
        #expect(PostgresPrograms.warnings(in: "") == [])
    }

    @Test func `a program waits for its server as long as the connection does`() {
        var login = PostgresProgramLogin(database: #"o'dd \ one"#)
        login.add("host", "db.example.com", variable: "PGHOST")
        login.add("keepalives_idle", "30", variable: nil)
        login.add("tcp_user_timeout", "5000", variable: nil)
        #expect(
            login.option
                == #"--dbname=dbname='o\'dd \\ one' keepalives_idle='30' tcp_user_timeout='5000'"#)
        #expect(login.environment == ["PGHOST": "db.example.com"])
    }

    @Test(arguments: ["sslpassword", "scram_client_key", "oauth_client_secret"])
    func `a secret without a variable is in no list of processes`(keyword: String) {
        var login = PostgresProgramLogin(database: "shop")
        login.add(keyword, "s3cr3t", variable: nil)
        login.add("password", "s3cr3t", variable: "PGPASSWORD")
        #expect(login.option == "--dbname=dbname='shop'")
        #expect(login.environment == ["PGPASSWORD": "s3cr3t"])
    }

    @Test func `a setting of the server comes after those that a connection has`() {
        var login = PostgresProgramLogin(database: "shop")
        login.set("a=1")
        #expect(login.environment == ["PGOPTIONS": "-c a=1"])
        login.add("options", "-c a=2 -c b=3", variable: "PGOPTIONS")
        login.set("a=4")
        #expect(login.environment == ["PGOPTIONS": "-c a=2 -c b=3 -c a=4"])
    }

    @Test func `a service does not lead programs to another server`() {
        var login = PostgresProgramLogin(database: "shop")
        login.add("service", "production", variable: "PGSERVICE")
        login.add("servicefile", "/etc/services", variable: "PGSERVICEFILE")
        login.add("host", "staging", variable: "PGHOST")
        #expect(login.environment == ["PGHOST": "staging"])
    }
}
