import Testing

@testable import MySQLEngine

@Suite struct MySQLClusterTests {
    @Test func `a cluster has rows committed far below its limit`() {
        typealias Variables = [[String?]]
        func group(_ name: String, _ limit: String) -> Variables {
            [
                ["group_replication_group_name", name],
                ["group_replication_transaction_size_limit", limit],
            ]
        }
        func galera(_ isOn: String, _ provider: String, _ limit: String) -> Variables {
            [["wsrep_on", isOn], ["wsrep_provider", provider], ["wsrep_max_ws_size", limit]]
        }
        for (variables, expected) in [
            ([], nil),
            (group("", "150000000"), nil),
            (group("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "150000000"), 8 << 20),
            (group("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "1600"), 100),
            (group("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "0"), nil),
            (galera("OFF", "none", "2147483647"), nil),
            (galera("ON", "none", "2147483647"), nil),
            (galera("ON", "/usr/lib/galera/libgalera_smm.so", "2147483647"), 8 << 20),
            (galera("ON", "/usr/lib/galera/libgalera_smm.so", "16000"), 1000),
        ] as [(Variables, Int?)] {
            #expect(MySQLCluster.commitBytes(of: variables) == expected, "\(variables)")
        }
    }
}
