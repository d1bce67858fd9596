import ArgumentParser
import BackupCore

/// A word that could stand at the cursor.
struct CompletionCandidate {
    let text: String
    var description = ""

    /// As the script of a shell takes it; nil for what no line of its answer can hold.
    func line(for shell: CompletionShell?) -> String? {
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        switch shell {
        case .some(.bash):
            // The script has bash expand it, which must find nothing to do: `$(…)` is a table's name.
            return "'\(text.replacing(scalar: "'", with: "'\\''"))'"
        case .some(.zsh):
            let plain = text.replacing(scalar: "\\", with: "\\\\")
                .replacing(scalar: ":", with: "\\:")
            return description.isEmpty ? plain : "\(plain):\(description)"
        case .some(.fish): return description.isEmpty ? text : "\(text)\t\(description)"
        default: return text
        }
    }

    /// A table as `TablePattern` reads it, with no more quotes than that needs.
    init(_ table: TableName, defaultSchema: String, isQualified: Bool) {
        let name = Self.quoted(table.name)
        let needsSchema = isQualified || !table.schema.isExactly(defaultSchema)
        text = needsSchema ? "\(Self.quoted(table.schema)).\(name)" : name
    }

    init(text: String, description: String = "") {
        self.text = text
        self.description = description
    }

    private static func quoted(_ part: String) -> String {
        let isPlain = part.unicodeScalars.allSatisfy { !".\"*?".unicodeScalars.contains($0) }
        return isPlain ? part : "\"\(part.replacing(scalar: "\"", with: "\"\""))\""
    }
}
