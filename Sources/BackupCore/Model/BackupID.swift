public import Foundation

/// A backup's name: `full_mydb_20250101_120000_a1b2`.
///
/// Kind, database (encoded as in file names), UTC date and time of the start, four random hex digits.
public struct BackupID: Hashable, Sendable {
    /// The whole name.
    public let text: String
    /// Full, differential or incremental.
    public let kind: BackupKind
    /// The database, encoded as in file names.
    public let encodedDatabase: String

    /// Makes a new name.
    public init(kind: BackupKind, database: String, at date: Date, random: UInt16) {
        self.kind = kind
        encodedDatabase = FileNaming.encoded(database)
        let stamp = Timestamp(date).compact
        let digits = String(random, radix: 16)
        let hex = String(repeating: "0", count: 4 - digits.count) + digits
        text = "\(kind.rawValue)_\(encodedDatabase)_\(stamp)_\(hex)"
    }

    /// Reads a name; nil when `text` is not one.
    public init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count >= 5, let kind = BackupKind(rawValue: String(parts[0])),
            Self.tail(parts.suffix(3).joined(separator: "_")) != nil,
            text.utf8.allSatisfy(FileNaming.isPlain)
        else { return nil }
        self.text = text
        self.kind = kind
        encodedDatabase = parts[1..<(parts.count - 3)].joined(separator: "_")
        guard !encodedDatabase.isEmpty else { return nil }
    }

    /// Date, time and hex digits, if that is what `text` is.
    static func tail(_ text: String) -> String? {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
            .map { Array($0.utf8) }
        guard parts.map(\.count) == [8, 6, 4] else { return nil }
        let isDecimal = parts.prefix(2).joined().allSatisfy { (0x30...0x39).contains($0) }
        let isHex = parts[2].allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
        }
        return isDecimal && isHex ? text : nil
    }

    /// The four hex digits at the end.
    public var hexDigits: String { String(text.suffix(4)) }

    /// Date, time and hex digits: the folder's name inside `.backup_diff`.
    public var tail: String {
        text.split(separator: "_").suffix(3).joined(separator: "_")
    }
}

extension BackupID: CustomStringConvertible {
    /// The whole name.
    public var description: String { text }
}
