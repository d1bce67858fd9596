import BackupCore

/// Whether a column takes every value of another type as it is, and gives it back as the same text.
///
/// Casts on the way in are silent: a `numeric(12,2)` rounds what was a `numeric(12,4)`. Rows that are read back are
/// compared by their text: an `inet` shows the `10.0.0.1/32` of a `cidr` without its mask, and a wider `numeric` more
/// zeros.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/datatype.html>
enum PostgresTypeFit {
    /// A type without what stands in its parentheses, and the numbers there.
    private struct Shape {
        let kind: String
        let limits: [Int]
        let hasLimit: Bool

        init(_ type: String) {
            // What is in quotes is a name, whatever it holds.
            guard !type.unicodeScalars.contains("\""),
                let inside = type.firstMatch(of: #/\(([^)]*)\)/#)
            else {
                kind = type
                limits = []
                hasLimit = false
                return
            }
            kind = type.replacing(#/\([^)]*\)/#, with: "")
            limits = inside.1.split(separator: ",").compactMap { Int($0) }
            hasLimit = true
        }
    }

    private static let texts = ["text", "character varying"]

    /// What takes all values, having no limit of its own.
    ///
    /// `"bit"` has none, where `bit` means one bit; `bpchar` is the same of `character`.
    private static let wider: [String: [String]] = [
        "smallint": ["integer", "bigint", "numeric"], "integer": ["bigint", "numeric"],
        "bigint": ["numeric"], "oid": ["bigint", "numeric"],
        "int4range": ["int8range"], "int4multirange": ["int8multirange"],
        // Blanks at the end of a `character` are in the file.
        "character": ["bpchar"] + texts, "bpchar": texts, "name": texts,
        "character varying": texts, "text": texts,
        "bit": ["\"bit\"", "bit varying"], "\"bit\"": ["bit varying"],
        "json": texts, "jsonb": ["json"] + texts, "xml": texts, "uuid": texts,
    ]

    /// How many digits whole numbers have at most.
    private static let digits = ["smallint": 5, "integer": 10, "oid": 10, "bigint": 19]

    /// Of which a number tells the places of seconds; an interval may name its fields besides.
    private static let times: Set<String> = [
        "time without time zone", "time with time zone", "timestamp without time zone",
        "timestamp with time zone", "interval",
    ]

    /// `source` and `target` as `format_type` writes them.
    static func holds(_ source: String, in target: String) -> Bool {
        guard !source.isExactly(target) else { return true }
        // An array's text is that of its elements.
        if source.hasSuffix("[]"), target.hasSuffix("[]") {
            return holds(String(source.dropLast(2)), in: String(target.dropLast(2)))
        }
        let (from, to) = (Shape(source), Shape(target))
        return to.hasLimit ? hasRoom(for: from, in: to) : isWider(to.kind, than: from.kind)
    }

    private static func isWider(_ target: String, than source: String) -> Bool {
        if source.isExactly(target) { return source != "character" }
        // Fields of an interval, `day to second`, are a limit.
        if target == "interval", source.hasPrefix("interval ") { return true }
        return wider[source]?.contains(target) ?? false
    }

    private static func hasRoom(for source: Shape, in target: Shape) -> Bool {
        let (old, new) = (source.limits, target.limits)
        switch (source.kind, target.kind) {
        case ("numeric", "numeric"):
            return old.count == 2 && new.count == 2 && new[0] >= old[0] && new[1] == old[1]
        case (_, "numeric"):
            guard let count = digits[source.kind] else { return false }
            return new.count == 2 && new[0] >= count && new[1] == 0
        case ("character", "character varying"), ("character varying", "character varying"),
            ("bit", "bit varying"), ("bit varying", "bit varying"):
            return old.count == 1 && new.count == 1 && new[0] >= old[0]
        case (let kind, source.kind) where times.contains(kind) || kind.hasPrefix("interval "):
            return old.count == 1 && new.count == 1 && new[0] >= old[0]
        default: return false
        }
    }
}
