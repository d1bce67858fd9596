import BackupTesting
import Testing

/// A MySQL or MariaDB server may begin its sessions with whatever settings: they spoil no backup and no restore.
///
/// Whoever runs them is no administrator, as those may set more for themselves, and `init_connect` leaves them alone.
@Suite struct MySQLSettingsCampaign {
    @Test(arguments: MySQLTestServer.all)
    func `what a server is set to spoils nothing`(server: MySQLTestServer) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, _ in
            let account = try await bench.source.createAccount(
                "hurried", server.ownerPrivileges)
            let shop = try await CampaignShop(MySQLCampaignServer(bench, as: account))
            try await shop.server.query(Self.delicateThings, in: shop.server.source)
            try await Self.attackBackups(of: shop, on: server)
            try await Self.attackRestores(of: shop, on: server)
        }
    }

    /// Values that look otherwise, and bodies that mean something else, under one setting or another.
    private static let delicateThings = #"""
        SET SESSION sql_mode = '';
        CREATE TABLE delicate (code char(10) NOT NULL PRIMARY KEY, word varchar(60) DEFAULT 'back\\slash', price decimal(20, 6),
          ratio double, near float, day date, clock time(3), at datetime(6), moment timestamp NULL, bits bit(9),
          bytes varbinary(20), label enum('a', 'it''s') NOT NULL, marks set('x', 'y'), padded int(6) unsigned zerofill);
        INSERT INTO delicate SELECT CONCAT('c', id), CONCAT('it''s "', id, '", back\\slash % 日本 😀  '), id / 8, id / 7, id / 3,
          IF(id % 5 = 0, '0000-00-00', DATE_ADD('2020-01-31', INTERVAL id DAY)), SEC_TO_TIME(id * 61.125),
          '2020-01-31 10:11:12.123456' + INTERVAL id HOUR, FROM_UNIXTIME(1600000000 + id * 3600), id % 512,
          LEFT(UNHEX(SHA2(id, 256)), 16), 1 + id % 2, id % 4, id FROM people WHERE id <= 300;
        CREATE PROCEDURE of_texts() SELECT "it's", 'back\\slash' FROM people;
        SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
        CREATE PROCEDURE of_names() SELECT "name", 'back\slash' FROM people
        """#

    private static func attackBackups(
        of shop: CampaignShop, on server: MySQLTestServer
    ) async throws {
        let layers: [CampaignVerb] = [.differential, .spilling, .incremental]
        try await Attack("settings of the server, \(server.product)").run { number, random in
            try shop.layOut()
            try await shop.run(CampaignVerb.full.words).requireCode(0)
            let change =
                "UPDATE delicate SET price = price + 1 WHERE code = 'c\(number % 300 + 1)'"
            try await shop.server.query(change, in: shop.server.source)
            let verb = try #require(
                ([CampaignVerb.full, .zipped] + layers).randomElement(using: &random))
            let settings = StrangeSettings(on: server, by: &random)
            try await shop.server.query(settings.setting, in: "")
            let end = try await shop.run(verb.words + ["--json"])
            try await shop.server.query(settings.puttingBack, in: "")
            var broken = settings.faults(of: end)
            if end.code == 0 {
                let point = try StoredBackup(end)
                let count = point.report["statistics"]["total_rows_processed"].integer
                // Of its parent nothing but one row is another one, whatever they were read by.
                if layers.contains(verb), count != 1 { broken.append("rows changed: \(end)") }
                broken += try await shop.differences(ofPoint: point.id)
            }
            broken += try await shop.aftermath(of: verb, inTry: number)
            return broken.map { "\(verb), \(settings): \($0)" }
        }
    }

    private static func attackRestores(
        of shop: CampaignShop, on server: MySQLTestServer
    ) async throws {
        try shop.layOut()
        try await shop.run(CampaignVerb.full.words).requireCode(0)
        let product = try #require(CampaignShop.Product(rawValue: server.product))
        let restores = AttackedRestores(of: shop, on: product)
        try await Attack("settings of the server, \(server.product), restore").run { _, random in
            let mode = restores.mode(by: &random)
            let settings = StrangeSettings(on: server, by: &random)
            return try await restores.attempt(mode) { _, words in
                try await shop.server.query(settings.setting, in: "")
                let end = try await shop.run(words)
                try await shop.server.query(settings.puttingBack, in: "")
                return end
            } isHit: {
                settings.faults(of: $0).isEmpty
            }.map { $0.map { "\(settings): \($0)" } }
        }
    }
}
