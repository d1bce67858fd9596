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
}
