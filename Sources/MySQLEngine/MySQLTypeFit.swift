/// Whether a column of another type holds every value as it is: the servers round, pad and cut without a word where
/// one type is nearly another.
///
/// Types that have nothing in common are not looked at here: there the server refuses, or warns, which is an error.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/fractional-seconds.html>,
///   <https://dev.mysql.com/doc/refman/9.7/en/char.html>
struct MySQLTypeFit {
    /// The first word of a type, and the last number in its parentheses.
    private struct Shape {
        let kind: String
        let digits: Int
        let hasDigits: Bool

        init(_ type: String) {
            kind = String(type.prefix { $0.isLetter || $0.isNumber }).lowercased()
            let inside = type.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
            let last = inside.split(separator: ",").last.flatMap { Int($0) }
            (digits, hasDigits) = (last ?? 0, last != nil)
        }
    }

    private static let integers: Set<String> = [
        "tinyint", "smallint", "mediumint", "int", "bigint",
    ]
    private static let texts: Set<String> = [
        "varchar", "tinytext", "text", "mediumtext", "longtext",
    ]
    private static let bytes: Set<String> = [
        "varbinary", "tinyblob", "blob", "mediumblob", "longblob",
    ]
    /// Of which the server knows itself what goes into what.
    private static let shapes: Set<String> = [
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
        "multipolygon",
        "geomcollection", "geometrycollection",
    ]

    /// Both as the server writes types: `decimal(10,2)`, `bigint(20) unsigned`.
    ///
    /// `isOfMariaDB`: Whether the source is, which calls its `JSON` a `longtext`.
    static func holds(_ source: String, in target: String, isOfMariaDB: Bool = false) -> Bool {
        let (source, target) = (Shape(source), Shape(target))
        let isSame = source.kind == target.kind
        switch source.kind {
        case _ where integers.contains(source.kind):
            return integers.contains(target.kind) || target.kind == "decimal"
        case "decimal":
            // Without places behind the point it is a whole number.
            return isSame && target.digits >= source.digits
                || source.hasDigits && source.digits == 0 && integers.contains(target.kind)
        case "float", "double":
            let isWider = isSame || target.kind == "double"
            return isWider && (!target.hasDigits || isSame && target.digits == source.digits)
        case "year": return isSame || integers.contains(target.kind)
        case "date": return isSame || target.kind == "datetime"
        case "time", "datetime", "timestamp": return isSame && target.digits >= source.digits
        // Spaces at the end of a CHAR, and zeros at that of a BINARY, are its own. MySQL writes a JSON anew.
        case _ where texts.contains(source.kind):
            return texts.contains(target.kind)
                || isOfMariaDB && source.kind == "longtext" && target.kind == "json"
        case "char", "json", "enum", "set", "uuid", "inet4", "inet6", "xmltype":
            return isSame || texts.contains(target.kind)
                || target.kind == "char" && source.kind != "json"
        case _ where bytes.contains(source.kind): return bytes.contains(target.kind)
        case "binary":
            return isSame && target.digits == source.digits || bytes.contains(target.kind)
        case _ where shapes.contains(source.kind): return shapes.contains(target.kind)
        default: return isSame
        }
    }
}
