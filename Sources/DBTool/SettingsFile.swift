/// What a file of settings holds: `.env`.
///
/// A line is `NAME=value`, without the space around either; of several with one name the last counts. Lines without a
/// name and comments (`#`) say nothing. Lines may end in CR and LF, and a byte order mark may come first, as some editors
/// write them.
struct SettingsFile {
    /// Each value as it is written, with its quotes.
    let variables: [String: String]

    init(_ bytes: some Collection<UInt8>) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let lines = Array(bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...])
            .split(separator: UInt8(ascii: "\n"))
        var variables: [String: String] = [:]
        for line in lines {
            // By bytes: together with an accent or a CR before it, neither sign would be one.
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = Self.trimmed(line[..<equals])
            guard !name.isEmpty, name.first != UInt8(ascii: "#") else { continue }
            variables[String(decoding: name, as: UTF8.self)] = String(
                decoding: Self.trimmed(line[(equals + 1)...]), as: UTF8.self)
        }
        self.variables = variables
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return bytes[start..<end]
    }
}
