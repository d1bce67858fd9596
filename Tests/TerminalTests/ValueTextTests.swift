import Terminal
import Testing

@Suite struct ValueTextTests {
    @Test(
        arguments: [
            (nil, "NULL"), ("NULL", "'NULL'"), ("'NULL'", "''NULL''"), ("null", "null"), ("", ""),
            ("NULL and more", "NULL and more"), ("a\nb", "a\\nb"),
        ] as [(String?, String)])
    func `NULL is told from texts that read like it`(value: String?, shown: String) {
        #expect(ValueText.of(value) == shown)
    }
}
