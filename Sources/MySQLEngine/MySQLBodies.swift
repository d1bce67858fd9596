import BackupCore

/// What triggers, events and routines name in their bodies, which the servers look up when they run, and not before.
///
/// As far as words tell: an alias may have a database's name, and a statement that is put together from texts names nothing.
struct MySQLBodies {
    let request: TargetRequest
    let definition: MySQLDefinition
    let presence: MySQLPresence

    /// What a person should know before they are made.
    func warnings(_ plan: MySQLPlan) -> [String] {
        // Nothing of a drill's database runs.
        guard !request.isScratch else { return [] }
        let bodies = plan.chosen.filter { $0.kind > .table }.map { (object: $0, words: words($0)) }
        return bodies.compactMap { sourceWarning($0.object, $0.words) }
            + bodies.filter { $0.object.kind == .trigger }.compactMap {
                tableWarning($0.object, $0.words, plan)
            }
    }

    /// Without databases in the head, which are left out when it is made.
    private func words(_ object: MySQLObject) -> [MySQLTokens.Token] {
        let text = MySQLStatementHead(object.statement)?.statement(acting: .kept)
        return MySQLTokens(text ?? object.statement).tokens.filter(\.isCode)
    }

    private func described(_ object: MySQLObject) -> String {
        "\(object.kind.rawValue.lowercased()) \(object.name)"
    }

    // MARK: The source's database

    /// A copy that acts on the original, where that is on the same server.
    private func sourceWarning(_ object: MySQLObject, _ words: [MySQLTokens.Token]) -> String? {
        let source = request.defaultSchema
        guard !source.isExactly(request.database), Self.names(source, words) else { return nil }
        let text = "\(described(object)) names database \(source), and not \(request.database)"
        guard object.kind == .event, !Self.isDisabled(words) else { return text }
        let name = MySQLText.qualified(TableName(schema: request.database, name: object.name))
        return "\(text), and runs from then on: ALTER EVENT \(name) DISABLE;"
    }

    private static func names(_ database: String, _ words: [MySQLTokens.Token]) -> Bool {
        words.indices.dropLast().contains { index in
            guard words[index + 1].isSign("."), words[index].name?.isExactly(database) ?? false
            else { return false }
            return index == 0 || !words[index - 1].isSign(".")
        }
    }

    /// Whether the head of an event says so, before what it does.
    private static func isDisabled(_ words: [MySQLTokens.Token]) -> Bool {
        words.prefix { $0.keyword != "DO" }.contains { $0.keyword == "DISABLE" }
    }

    // MARK: Tables that are not there

    /// Every change that makes the trigger fire would fail.
    private func tableWarning(
        _ trigger: MySQLObject, _ words: [MySQLTokens.Token], _ plan: MySQLPlan
    ) -> String? {
        guard !request.isWhole else { return nil }
        let made = Set(
            plan.chosen.filter { MySQLObject.Kind.relations.contains($0.kind) }
                .map { ExactText(plan.place(of: $0.name)) })
        var missing: [String] = []
        for name in tables(words)
        where !made.contains(ExactText(name)) && presence.relations[ExactText(name)] == nil {
            if !missing.contains(where: name.isExactly) { missing.append(name) }
        }
        guard !missing.isEmpty else { return nil }
        let names = MySQLTargetPlanner.list(missing)
        return "\(described(trigger)) names \(names), not in \(request.database): "
            + "what makes it fire will fail"
    }

    /// Tables that statements of a body name without a database.
    private func tables(_ words: [MySQLTokens.Token]) -> [String] {
        let known = Set(
            definition.objects.filter { MySQLObject.Kind.relations.contains($0.kind) }
                .map { ExactText($0.name) })
        return words.indices.dropFirst(2).compactMap { index in
            guard let name = words[index].name,
                index + 1 == words.count || !words[index + 1].isSign(".")
            else { return nil }
            let before = (words[index - 2].keyword ?? "", words[index - 1].keyword ?? "")
            let isTable =
                switch before {
                case ("INSERT", "INTO"), ("IGNORE", "INTO"), ("REPLACE", "INTO"),
                    ("DELETE", "FROM"):
                    true
                // Of values, cursors and columns too.
                case (_, "FROM"), (_, "JOIN"), (_, "UPDATE"), (_, "INSERT"), (_, "REPLACE"):
                    known.contains(ExactText(name))
                default: false
                }
            return isTable ? name : nil
        }
    }
}
