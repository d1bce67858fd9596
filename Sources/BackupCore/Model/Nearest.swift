/// The known names that are nearest to one that is not known.
public enum Nearest {
    /// At most three names, the nearest first.
    public static func names(to name: String, among known: some Sequence<String>) -> [String] {
        let wanted = name.lowercased()
        let allowed = max(2, wanted.count / 3)
        return known.map { ($0, distance(wanted, $0.lowercased())) }
            .filter { $0.1 <= allowed || $0.0.lowercased().contains(wanted) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            .prefix(3).map(\.0)
    }

    /// A sentence that offers them; nil when nothing is near.
    public static func hint(to name: String, among known: some Sequence<String>) -> String? {
        let near = names(to: name, among: known)
        return near.isEmpty ? nil : "Nearest: \(near.joined(separator: ", "))."
    }

    /// The tables nearest to a name or pattern; the schemas, where a pattern means all of one.
    public static func hint(
        to pattern: TablePattern, among tables: some Sequence<TableName>, defaultSchema: String
    ) -> String? {
        let text = pattern.text
        if let schema = text.split(separator: ".").first, text.hasSuffix(".*") {
            let near = names(to: String(schema), among: Set(tables.map(\.schema)))
            return near.isEmpty ? nil : "Nearest schemas: \(near.joined(separator: ", "))."
        }
        let hasSchema = text.contains(".")
        // Compared as stored, which people type first, and offered as it is written.
        let known = tables.map { table in
            !hasSchema && table.schema.isExactly(defaultSchema)
                ? (stored: table.name, written: TableName.written(table.name))
                : (stored: table.description, written: table.description)
        }
        let near = names(to: text, among: known.map(\.stored)).compactMap { name in
            known.first { $0.stored.isExactly(name) }?.written
        }
        guard !near.isEmpty else { return nil }
        let quotes =
            near.contains { $0.unicodeScalars.contains("\"") }
            ? " Double quotes are written as they are here; a shell wants single ones around them."
            : ""
        return "Nearest: \(near.joined(separator: ", ")).\(quotes)"
    }

    /// Levenshtein's distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let cost = diagonal + (character == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = Swift.min(cost, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
