import Testing

@testable import BackupCore

@Suite struct SocketPeerTests {
    /// An address of sixteen bytes, of which the last six are given.
    private static func long(_ end: UInt8...) -> [UInt8] {
        [UInt8](repeating: 0, count: 10) + end
    }

    @Test(
        arguments: [
            ([127, 0, 0, 1], true), ([127, 255, 3, 9], true), ([128, 0, 0, 1], false),
            ([10, 1, 2, 3], false), ([0, 0, 0, 0], false), ([], false),
            (long(0, 0, 0, 0, 0, 1), true), (long(0, 0, 0, 0, 0, 2), false),
            (long(0, 0, 127, 0, 0, 1), false), (long(0xFF, 0xFF, 127, 0, 0, 1), true),
            (long(0xFF, 0xFF, 10, 0, 0, 1), false),
        ] as [([UInt8], Bool)])
    func `only the machine's own addresses are local`(address: [UInt8], isLocal: Bool) {
        #expect(SocketPeer.isLoopback(address) == isLocal)
    }

    @Test(
        arguments: [
            ("127.0.0.1", true), ("127.3.2.1", true), ("::1", true), ("::ffff:127.0.0.1", true),
            ("192.0.2.7", false), ("2001:db8::1", false),
        ] as [(String, Bool)])
    func `an address tells what a socket would have`(host: String, isLocal: Bool) {
        #expect(SocketPeer.isThisMachine(host: host) == isLocal)
    }

    @Test func `what is no socket is not this machine`() {
        #expect(!SocketPeer.isThisMachine(-1))
    }
}
