import Foundation

/// How this project's JSON files look: indented, keys in order, slashes as they are.
enum JSONFile {
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try Array(encoder.encode(value)) + Array("\n".utf8)
    }

    /// - Throws: `BackupError.damaged` naming the file.
    static func value<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], file: String
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw BackupError(.damaged, "\(file) is not readable", underlying: "\(error)")
        }
    }
}
