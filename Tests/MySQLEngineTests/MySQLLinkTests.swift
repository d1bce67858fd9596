import CMariaDB
import Testing

@testable import MySQLEngine

@Suite struct MySQLLinkTests {
    @Test(
        arguments: [
            (nil, false, true), (nil, true, false), ("TLS_AES_256_GCM_SHA384", false, false),
            ("TLS_AES_256_GCM_SHA384", true, false),
        ] as [(String?, Bool, Bool)])
    func `only what a network carries as it is, is exposed`(
        cipher: String?, isLocal: Bool, isExposed: Bool
    ) {
        let link = MySQLLink(host: "db.example.com", cipher: cipher, isLocal: isLocal)
        #expect((link.exposure != nil) == isExposed)
        #expect(link.exposure?.contains("to db.example.com as they are") ?? true)
    }

    /// Of a server without encryption nobody gets a login who checks certificates.
    @Test(arguments: [(false, false, true), (true, false, true), (true, true, false)])
    func `a login that was refused is exposed where it was sent as it is`(
        asksForTLS: Bool, verifies: Bool, isExposed: Bool
    ) throws {
        let connection = try #require(mysql_init(nil))
        defer { mysql_close(connection) }
        var (asking, verifying) = (CChar(asksForTLS ? 1 : 0), CChar(verifies ? 1 : 0))
        mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &asking)
        mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifying)
        let unreached = MySQLLink(refused: connection, host: "192.0.2.1")
        #expect(unreached?.exposure == nil)
        connection.pointee.server_capabilities = UInt(CLIENT_PROTOCOL_41)
        let link = MySQLLink(refused: connection, host: "192.0.2.1")
        #expect((link?.exposure != nil) == isExposed)
    }
}
