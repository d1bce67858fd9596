import Testing

@testable import BackupCore

@Suite struct JSONFileTests {
    private struct Sample: Decodable {
        struct Part: Decodable { let rows: Int }

        let name: String
        let parts: [Part]
        let at: Timestamp?
        let words: [String: String]?
    }

    @Test(
        arguments: [
            ("", "it is not JSON"), ("{\"name\": \"a\", ", "it is not JSON"),
            ("[]", "the whole file is of another kind"),
            ("{\"name\": \"a\"}", "parts is missing"),
            ("{\"name\": 7, \"parts\": []}", "name is of another kind"),
            ("{\"name\": null, \"parts\": []}", "name is null"),
            ("{\"name\": \"a\", \"parts\": [{\"rows\": 1}, {}]}", "parts[1].rows is missing"),
            (
                "{\"name\": \"a\", \"parts\": [{\"rows\": \"x\"}]}",
                "parts[0].rows is of another kind"
            ),
            (
                "{\"name\": \"a\", \"parts\": [], \"at\": \"noon\"}",
                "at has a value that is not understood"
            ),
            (
                "{\"name\": \"a\", \"parts\": [], \"words\": {\"\\u001b[2J\": 1}}",
                "words.… is of another kind"
            ),
        ] as [(String, String)])
    func `what is wrong with a file is said in plain words`(text: String, words: String) throws {
        let error = try #require(throws: BackupError.self) {
            _ = try JSONFile.value(Sample.self, from: Array(text.utf8), file: "a/metadata.json")
        }
        #expect(error.code == .damaged)
        #expect(error.message.hasPrefix("a/metadata.json is not readable: \(words)"), "\(error)")
        #expect(error.hint?.contains("copy of the repository") == true)
        for word in ["DecodingError", "codingPath", "CodingKeys", "Swift"] {
            #expect(!error.description.contains(word), "\(error)")
        }
    }
}
