import BackupCore

/// `schema.sql`, read back: what it makes, in its order.
struct MySQLDefinition {
    let objects: [MySQLObject]

    /// - Throws: `BackupError.damaged` for what `MySQLScript` would not have written.
    init(_ sql: [UInt8]) throws {
        var objects: [MySQLObject] = []
        var settings: [MySQLObject.Setting] = []
        // A view stands there twice; the one that counts takes the place of the other.
        var replacesView = false
        // Whether the database has another collation than its own, for one body.
        var isForeign = false
        for statement in Self.statements(of: String(decoding: sql, as: UTF8.self)) {
            if let setting = Self.setting(statement) {
                settings.append(setting)
                continue
            }
            if let collation = Self.collation(statement) {
                isForeign.toggle()
                if isForeign { settings.append(collation) }
                continue
            }
            guard let head = MySQLStatementHead(statement) else {
                let isKnown = ["DROP", "SET"].contains {
                    statement.utf8.starts(with: $0.utf8)
                }
                guard isKnown else {
                    throw BackupError(
                        .damaged, "schema.sql holds a statement that is not understood",
                        hint: String(statement.prefix(80)))
                }
                replacesView = replacesView || statement.utf8.starts(with: "DROP VIEW ".utf8)
                continue
            }
            if head.kind != .view || replacesView {
                objects.append(
                    MySQLObject(
                        kind: head.kind, name: head.name, statement: statement,
                        settings: head.kind < .view ? [] : settings))
            }
            (settings, replacesView) = ([], false)
        }
        self.objects = objects
    }

    /// Divided as the client divides it: by semicolons, or by what `DELIMITER` says.
    static func statements(of text: String) -> [String] {
        var statements: [String] = []
        var delimiter = Array(";".utf8)
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)[...]
        var current: [UInt8] = []
        func trimmed(_ bytes: some Collection<UInt8>) -> String {
            String(decoding: bytes.drop { $0 <= 0x20 }, as: UTF8.self)
        }
        while let line = lines.popFirst() {
            if current.isEmpty, line.isEmpty || line.starts(with: "--".utf8) { continue }
            if current.isEmpty, line.starts(with: "DELIMITER ".utf8) {
                delimiter = Array(line.dropFirst("DELIMITER ".utf8.count))
                continue
            }
            current += line
            // A line end within quotes is no end, whatever stands before it.
            if line.hasSuffix(delimiter), delimiter.count > 1 || !Self.isOpen(current) {
                let text = current.dropLast(delimiter.count)
                // A body's delimiter is on a line of its own.
                let isBody = delimiter.count > 1 && text.last == 0x0A
                statements.append(trimmed(isBody ? text.dropLast() : text))
                current = []
            } else {
                current.append(0x0A)
            }
        }
        if !current.allSatisfy({ $0 <= 0x20 }) { statements.append(trimmed(current)) }
        return statements
    }

    private static func isOpen(_ bytes: [UInt8]) -> Bool {
        MySQLTokens(String(decoding: bytes, as: UTF8.self)).isOpen
    }

    /// `SET SESSION name = 'value'`.
    private static func setting(_ statement: String) -> MySQLObject.Setting? {
        let tokens = MySQLTokens(statement).tokens.filter(\.isCode)
        guard tokens.count == 5, tokens[0].keyword == "SET", tokens[1].keyword == "SESSION",
            let name = tokens[2].identifier, tokens[3].isSign("="), tokens[4].kind == .string
        else { return nil }
        return MySQLObject.Setting(name: name, value: tokens[4].literal ?? "")
    }

    /// ``ALTER DATABASE COLLATE = `name` ``.
    private static func collation(_ statement: String) -> MySQLObject.Setting? {
        let tokens = MySQLTokens(statement).tokens.filter(\.isCode)
        guard tokens.count == 5,
            zip(tokens, ["ALTER", "DATABASE", "COLLATE"]).allSatisfy({ $0.keyword == $1 }),
            tokens[3].isSign("="), let name = tokens[4].identifier
        else { return nil }
        return MySQLObject.Setting(name: MySQLObject.Setting.collation, value: name)
    }
}

extension Collection<UInt8> where Self: BidirectionalCollection {
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        reversed().starts(with: suffix.reversed())
    }
}
