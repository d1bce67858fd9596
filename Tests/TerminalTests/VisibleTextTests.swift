import Terminal
import Testing

@Suite struct VisibleTextTests {
    @Test(arguments: [
        ("plain, ünïcode 文😀", "plain, ünïcode 文😀"), ("", ""), ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u{1B}[2Jgone\u{7}", "\\u{1B}[2Jgone\\u{7}"),
        ("x\u{2028}y\u{9B}z", "x\\u{2028}y\\u{9B}z"),
        ("\r\n", "\\r\\n"),
    ])
    func `control characters are shown and do nothing`(text: String, visible: String) {
        #expect(VisibleText.of(text) == visible)
    }
}
