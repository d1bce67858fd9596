import BackupCore
import Testing

@Suite struct StorageNameTests {
    @Test func `a path is read and written`() throws {
        let name = try StorageName(path: "a/b c/.d")
        #expect(name.components == ["a", "b c", ".d"])
        #expect("\(name)" == "a/b c/.d")
        #expect(name.last == ".d")
        #expect(try "\(name.appending("e/f"))" == "a/b c/.d/e/f")
    }

    @Test(arguments: [
        "", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "a\0b", "\0",
    ])
    func `a path that leads elsewhere is refused`(path: String) throws {
        let error = #expect(throws: BackupError.self) { try StorageName(path: path) }
        #expect(error?.code == .damaged)
        #expect(throws: BackupError.self) { try StorageName(["a"]).appending(path) }
    }

    @Test(arguments: [[], [""], ["a/b"], ["a", ".."], ["/"], ["."], ["a\0"]])
    func `a component that leads elsewhere is refused`(components: [String]) {
        #expect(throws: BackupError.self) { try StorageName(components) }
    }

    @Test(arguments: ["../\u{301}x", "a/\u{301}/../b", "a\0\u{301}", "/\u{301}"])
    func `a slash that is hidden under an accent is still a slash`(text: String) {
        // To Swift such a slash is another character; to the file system it is a slash.
        #expect(throws: BackupError.self) { try StorageName([text]) }
    }

    @Test func `names with two dots in them are names`() throws {
        #expect(try StorageName(path: "..a/b..").components == ["..a", "b.."])
    }
}
