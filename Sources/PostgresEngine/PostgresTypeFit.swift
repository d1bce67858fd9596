/// Whether a column takes every value of another type as it is.
///
/// Casts on the way in are silent: a `numeric(12,2)` rounds what was a `numeric(12,4)`.
enum PostgresTypeFit {
    private static let wider = [
        "smallint": ["integer", "bigint", "numeric"], "integer": ["bigint", "numeric"],
        "bigint": ["numeric"], "character varying": ["text"],
    ]

    /// `source` and `target` as `format_type` writes them.
    static func holds(_ source: String, in target: String) -> Bool {
        guard source != target else { return true }
        let (from, to) = (plain(source), plain(target))
        let hasLimit = target.contains("(")
        guard from == to else { return !hasLimit && wider[from]?.contains(to) ?? false }
        // More room is enough where one number says how much there is: `character varying(20)`.
        guard hasLimit else { return from != "character" }
        guard from == "character varying", let old = limit(source), let new = limit(target)
        else { return false }
        return new >= old
    }

    private static func plain(_ type: String) -> String {
        type.replacing(#/\([^)]*\)/#, with: "")
    }

    private static func limit(_ type: String) -> Int? {
        type.firstMatch(of: #/\((\d+)\)/#).flatMap { Int($0.1) }
    }
}
