import BackupCore
import Testing

/// `ByteText`, `Nearest`, `Secret`, `BackupError`.
@Suite struct WordsForPeopleTests {
    @Test(arguments: [
        (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"),
        (1050, "1.1 kB"),
        (999_949, "999.9 kB"), (999_950, "1.0 MB"), (1_000_000, "1.0 MB"), (14_200_000, "14.2 MB"),
        (1_300_000_000, "1.3 GB"), (5_000_000_000_000, "5.0 TB"), (.max, "9223.4 PB"),
    ])
    func `bytes are written in powers of ten`(count: Int, text: String) {
        #expect("\(ByteText(count))" == text)
    }

    @Test func `the nearest names come first, at most three`() {
        let known = ["orders", "order_items", "users", "user_roles", "border", "zebra"]
        #expect(Nearest.names(to: "ordres", among: known).first == "orders")
        #expect(Nearest.names(to: "USERS", among: known).first == "users")
        #expect(Nearest.names(to: "order", among: known) == ["border", "orders", "order_items"])
        #expect(Nearest.names(to: "qqqqqq", among: known).isEmpty)
        #expect(Nearest.names(to: "x", among: []).isEmpty)
    }

    @Test func `a hint offers the nearest names, and nothing where there are none`() {
        #expect(Nearest.hint(to: "user", among: ["users"]) == "Nearest: users.")
        #expect(Nearest.hint(to: "user", among: ["zebra crossing"]) == nil)
    }

    @Test func `a name is offered in the form that means it`() throws {
        let tables = [
            TableName(schema: "shop", name: "Gift \"Cards\", für"),
            TableName(schema: "shop", name: "orders"),
        ]
        func hint(_ text: String) throws -> String? {
            Nearest.hint(to: try TablePattern(text), among: tables, defaultSchema: "shop")
        }
        let offered = try #require(try hint("Gift \"Cards\", für"))
        #expect(offered.hasPrefix("Nearest: \"Gift \"\"Cards\"\", für\". Double quotes"))
        let meant = try TablePattern("\"Gift \"\"Cards\"\", für\"")
        #expect(meant.matches(tables[0], defaultSchema: "shop"))
        #expect(try hint("ordres") == "Nearest: orders.")
        let open = #expect(throws: BackupError.self) { try TablePattern("5\" disk") }
        #expect(open?.hint?.contains("\"5\"\" disk\"") == true)
    }

    @Test func `a secret prints nowhere`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump([secret], to: &dumped)
        for text in ["\(secret)", "\([secret])", String(reflecting: secret), dumped] {
            #expect(!text.contains("hunter2"))
        }
        #expect(secret.unsafeText == "hunter2")
    }

    @Test func `an error prints message, cause and hint on lines of their own`() {
        let error = BackupError(.damaged, "it broke", hint: "Mend it.", underlying: "a crack")
        #expect("\(error)" == "it broke\na crack\nhint: Mend it.")
        #expect(error.with(context: "table a").message == "table a: it broke")
        #expect("\(BackupError(.usage, "no"))" == "no")
    }
}
