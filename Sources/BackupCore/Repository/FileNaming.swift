import Packing

/// How names of databases, schemas and tables become names of files.
public enum FileNaming {
    /// The longest name, in bytes.
    static let limit = 180

    /// `name` with everything outside `[A-Za-z0-9_-]` percent-encoded, cut when over 180 bytes.
    public static func encoded(_ name: String) -> String {
        shortened(percentEncoded(name), from: name)
    }

    /// A file name for each table, without its ending: none is another's, not even in a file
    /// system that does not tell upper from lower case.
    ///
    static func names(for tables: [Table], defaultSchema: String) -> [TableName: String] {
        var names: [TableName: String] = [:]
        for table in tables { names[table.name] = table.fileName }
        var used = Set(names.values.map { $0.lowercased() })
        for table in tables.map(\.name).sorted() where names[table] == nil {
            let plain = name(for: table, defaultSchema: defaultSchema)
            let candidates = sequence(first: 1) { $0 + 1 }.lazy
                .map { $0 == 1 ? plain : "\(plain)~\($0)" }
            guard let free = candidates.first(where: { !used.contains($0.lowercased()) }) else {
                preconditionFailure("an endless sequence ended")
            }
            used.insert(free.lowercased())
            names[table] = free
        }
        return names
    }

    private static func name(for table: TableName, defaultSchema: String) -> String {
        let name = percentEncoded(table.name)
        let isDefault = table.schema.isExactly(defaultSchema)
        let full = isDefault ? name : "\(percentEncoded(table.schema)).\(name)"
        return shortened(full, from: isDefault ? table.name : "\(table.schema).\(table.name)")
    }

    private static func shortened(_ encoded: String, from original: String) -> String {
        guard encoded.utf8.count > limit else { return encoded }
        let digest = SHA256Stream.hexDigest(of: Array(original.utf8)).prefix(8)
        return "\(encoded.prefix(limit - 9))~\(digest)"
    }

    /// Whether a byte may be in the name of a backup.
    static func isPlain(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "%", "~": true
        default: false
        }
    }

    private static func percentEncoded(_ name: String) -> String {
        var encoded = ""
        for byte in name.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-": encoded.unicodeScalars.append(scalar)
            default: encoded += "%" + Hex.string(of: [byte]).uppercased()
            }
        }
        return encoded
    }
}
