import Foundation

/// How this project's JSON files look: indented, keys in order, slashes as they are.
enum JSONFile {
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try Array(encoder.encode(value)) + Array("\n".utf8)
    }

    /// The fields of `value` over those that `before` had: unknown ones stay.
    static func bytes<Value: Codable>(
        of value: Value, over before: [UInt8]
    ) throws -> [UInt8] {
        let new = try bytes(of: value)
        // A file that is damaged has no fields to keep.
        guard before.count <= RepositoryLayout.mostBytesDecoded,
            let old = try? JSONSerialization.jsonObject(with: Data(before)) as? [String: Any],
            let fields = try JSONSerialization.jsonObject(with: Data(new)) as? [String: Any]
        else { return new }
        let merged = try JSONSerialization.data(
            withJSONObject: old.merging(fields) { $1 },
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        // A damaged field that `value` does not write would stay, and nobody could read the file.
        guard (try? JSONDecoder().decode(Value.self, from: merged)) != nil else { return new }
        return Array(merged) + Array("\n".utf8)
    }

    /// - Throws: `BackupError.damaged` naming the file, and what of it cannot be read.
    static func value<Value: Decodable>(
        _ type: Value.Type, from bytes: some Collection<UInt8>, file: String
    ) throws -> Value {
        guard bytes.count <= RepositoryLayout.mostBytesDecoded else {
            throw BackupError(
                .damaged, "\(file) is not readable",
                underlying: "\(ByteText(bytes.count)) of it belong together")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw BackupError(
                .damaged, "\(file) is not readable: \(flaw(error))",
                hint: "Put it back from a copy of the repository, or use another backup.")
        }
    }

    /// What is wrong, in words that know no type of this program.
    private static func flaw(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "it is not JSON" }
        return switch error {
        case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(path(context.codingPath)) is null"
        case .typeMismatch(_, let context):
            "\(path(context.codingPath)) is of another kind than it must be"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(path(context.codingPath)) has a value that is not understood"
        default: "it is not JSON, or only a part of it"
        }
    }

    /// Where something stands: `tables[0].rows`.
    private static func path(_ keys: [any CodingKey]) -> String {
        guard !keys.isEmpty else { return "the whole file" }
        let words = keys.map { key in
            if let index = key.intValue { return "[\(index)]" }
            // Names that are none of the format's may hold anything, and are shown to a terminal.
            let isPlain = key.stringValue.utf8.allSatisfy(FileNaming.isPlain)
            return isPlain ? ".\(key.stringValue)" : ".…"
        }
        return String(words.joined().trimmingPrefix("."))
    }
}
