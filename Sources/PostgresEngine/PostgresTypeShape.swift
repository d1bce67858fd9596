import BackupCore

/// What a type that somebody has made is made of, as far as its values depend on that.
enum PostgresTypeShape: Equatable, Sendable {
    /// Another type, with conditions: what these forbid is refused in words.
    case domain(base: String)
    /// From one value of another type to another; several such ranges, too.
    case range(subtype: String)
    /// Values side by side.
    case composite([Attribute])
    /// Labels, or functions of somebody: what does not fit is refused in words.
    case other

    /// One value of a composite type.
    struct Attribute: Equatable, Sendable {
        let name: String
        /// As `format_type` writes it.
        let type: String
    }

    /// The types that it is made of, as `format_type` writes them.
    var types: [String] {
        switch self {
        case .domain(let base): [base]
        case .range(let subtype): [subtype]
        case .composite(let attributes): attributes.map(\.type)
        case .other: []
        }
    }

    /// Why values would not stay what they are in a type of the same name that is `there`.
    func problems(in there: PostgresTypeShape, named name: TableName) -> [String] {
        switch (self, there) {
        case (.domain(let was), .domain(let base)):
            return PostgresTypeFit.holds(was, in: base)
                ? [] : ["type \(name) is \(base), and was \(was)"]
        case (.range(let was), .range(let subtype)):
            return PostgresTypeFit.holds(was, in: subtype)
                ? [] : ["type \(name) is a range of \(subtype), and was one of \(was)"]
        case (.composite(let were), .composite(let attributes)):
            return Self.problems(of: were, in: attributes, named: name)
        case (.other, _), (_, .other): return []
        default: return ["type \(name) is of another kind"]
        }
    }

    /// The text of a value has no names: each attribute gets what stands at its place.
    private static func problems(
        of were: [Attribute], in attributes: [Attribute], named type: TableName
    ) -> [String] {
        let pairs = zip(were, attributes)
        guard were.count == attributes.count,
            pairs.allSatisfy({ $0.name.isExactly($1.name) })
        else { return ["type \(type) is \(list(attributes)), and was \(list(were))"] }
        return pairs.compactMap { was, attribute -> String? in
            PostgresTypeFit.holds(was.type, in: attribute.type)
                ? nil
                : "attribute \(was.name) of type \(type) is \(attribute.type), and was \(was.type)"
        }
    }

    private static func list(_ attributes: [Attribute]) -> String {
        "(\(attributes.map(\.name).joined(separator: ", ")))"
    }
}
