import BackupCore

extension PostgresArchive {
    /// One entry.
    struct Entry: Sendable {
        let id: Int
        /// The oids of the catalog and of the object in the source; `0` where there is none.
        let catalog: String
        let object: String
        /// Kind, schema, name and owner, as printed.
        let words: String
        var dependencies: [Int] = []
        /// Empty where it belongs to nobody, nil where that is not known.
        var owner: String?
        /// What tells it apart from others of its kind and name, where its words do not: ` (integer, integer)`.
        var signature = ""

        /// Whether it is of a kind: `FK CONSTRAINT`.
        func isA(_ kind: String) -> Bool { words.startsExactly(with: kind + " ") }

        /// Whether it is a table, view, sequence or index: an object of `pg_class`.
        var isRelation: Bool { catalog == "1259" }

        /// Whether it is a table, partitioned or not.
        var isTable: Bool { isRelation && isA("TABLE") }

        /// Whether it is an index, or a key or another constraint: an archive lists these apart from each other.
        var isIndexOrKey: Bool { isA("CONSTRAINT") || isRelation && isA("INDEX") }

        /// Whether rows or the place of a sequence go into it.
        var holdsValues: Bool { isTable || isRelation && isA("SEQUENCE") }

        /// Whether it is a function, a procedure or an aggregate: an object of `pg_proc`.
        var isRoutine: Bool { catalog == "1255" }

        /// Schema, name and owner: what follows the kind.
        var name: String {
            String(decoding: words.utf8.dropFirst(kind.utf8.count + 1), as: UTF8.self)
        }

        /// `FK CONSTRAINT`.
        var kind: String {
            let fitting = Self.kinds.filter { isA($0) }
            let longest = fitting.max { $0.utf8.count < $1.utf8.count }
            return (isRelation ? fitting.first { Self.relationKinds.contains($0) } : longest) ?? ""
        }

        private static let relationKinds = [
            "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "INDEX",
        ]

        /// - SeeAlso: `src/bin/pg_dump/pg_dump.c`: every description of an entry there.
        private static let kinds =
            relationKinds + [
                "ACCESS METHOD", "ACL", "AGGREGATE", "CAST", "CHECK CONSTRAINT", "COLLATION",
                "COMMENT", "CONSTRAINT", "CONVERSION", "DATABASE", "DATABASE PROPERTIES", "DEFAULT",
                "DEFAULT ACL", "DOMAIN", "EVENT TRIGGER", "EXTENSION", "FK CONSTRAINT",
                "FOREIGN DATA WRAPPER", "FUNCTION", "INDEX ATTACH", "MATERIALIZED VIEW DATA",
                "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "POLICY", "PROCEDURAL LANGUAGE",
                "PROCEDURE", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA",
                "ROW SECURITY", "RULE", "SCHEMA", "SECURITY LABEL", "SEQUENCE OWNED BY", "SERVER",
                "SHELL TYPE", "STATISTICS", "SUBSCRIPTION", "SUBSCRIPTION TABLE", "TABLE ATTACH",
                "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER",
                "TEXT SEARCH TEMPLATE", "TRANSFORM", "TRIGGER", "TYPE", "USER MAPPING",
            ]
    }
}
