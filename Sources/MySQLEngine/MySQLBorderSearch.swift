import BackupCore

/// Finds keys of rows that divide a table into ranges of about one size, without reading it.
///
/// A range is halved where a guess at its middle leads: the key of the first row from there on is a border, whatever the
/// order is. What the halves hold the server estimates from its index. A range in which guesses lead nowhere is walked
/// through, which reads the keys of all its rows once.
struct MySQLBorderSearch: Sendable {
    let connection: MySQLConnection
    let table: TableName
    let index: MySQLUniqueIndex
    let columns: [MySQLKeyBorders.Column]
    /// About how many rows the table has.
    let rows: Int
    /// About how many ranges are wanted.
    let count: Int

    typealias Key = MySQLKeyBorders.Key

    /// Whatever the server believes of the number of rows.
    private var mostPieces: Int { 4 * count }

    /// The rows from one key to another, without it.
    private struct Piece {
        let lower: Key
        let upper: Key
        let rows: Int
        /// How many guesses in a row led to a border near its end.
        var setbacks = 0
    }

    /// Of so many guesses that lead nowhere the next ones will not either: a number of 64 bits can be halved so often.
    private static let mostSetbacks = 64

    /// The borders; nil where there are none, or where they would not help.
    ///
    /// Each is proven to be above the one before, by the server's own comparison of its column, and each range to be
    /// read by the index.
    func borders() async throws -> MySQLKeyBorders? {
        do {
            let pieces = try await pieces()
            let borders = MySQLKeyBorders(
                columns, Self.thinned(Self.merged(pieces, into: count)))
            guard !borders.keys.isEmpty, try await areAscending(borders.keys),
                try await areRead(borders.conditions)
            else { return nil }
            return borders
        } catch is MySQLError {
            // A value that no literal can have, an index that must not be named: one connection reads the table. A
            // connection that is lost fails with the next statement.
            return nil
        }
    }

    /// Whether ranges hold about as many rows as one another, as far as some of them show.
    func areEven(_ conditions: [[String]]) async throws -> Bool {
        let step = max(1, conditions.count / Self.mostSamples)
        let samples = stride(from: 0, to: conditions.count, by: step).map { conditions[$0] }
        var estimates: [Int] = []
        do {
            for sample in samples { estimates.append(try await estimate(sample)) }
        } catch is MySQLError {
            // An index that must not be named: nothing better would be found by it.
            return true
        }
        // No estimate is more than half of what the server takes for all rows: one that should be lacks in the sum.
        let sum = estimates.reduce(0, +)
        let expected = max(rows, sum * step) / max(1, conditions.count)
        return estimates.allSatisfy { $0 <= 3 * max(1, expected) }
            && sum >= expected * samples.count * (step == 1 ? 3 : 1) / 4
    }

    private static let mostSamples = 32

    // MARK: Pieces

    private func pieces() async throws -> [Piece] {
        guard let first = try await key(), let last = try await key(isLast: true), first != last
        else { return [] }
        var letters = columns.map { MySQLLetters(of: $0.order) }
        func learn(_ key: Key) {
            for (column, value) in key.enumerated() { letters[column].insert(value) }
        }
        learn(first)
        learn(last)
        let limit = max(1, rows / count)
        var pieces = [Piece(lower: first, upper: last, rows: rows)]
        var stuck: Set<Key> = []
        while let widest = pieces.indices.filter({ !stuck.contains(pieces[$0].lower) })
            .max(by: { pieces[$0].rows < pieces[$1].rows }), pieces[widest].rows > limit,
            pieces.count < mostPieces
        {
            let piece = pieces[widest]
            guard piece.setbacks < Self.mostSetbacks,
                let middle = try await middle(of: piece, letters)
            else {
                stuck.insert(piece.lower)
                continue
            }
            learn(middle)
            pieces.replaceSubrange(
                widest...widest, with: try await halves(of: piece, at: middle))
        }
        for lower in stuck {
            guard let place = pieces.firstIndex(where: { $0.lower == lower }) else { continue }
            pieces.replaceSubrange(
                place...place, with: try await walked(pieces[place], by: limit))
        }
        return pieces
    }

    private func halves(of piece: Piece, at middle: Key) async throws -> [Piece] {
        var halves: [Piece] = []
        for (lower, upper) in [(piece.lower, middle), (middle, piece.upper)] {
            let conditions = MySQLKeyBorders.conditions(columns, from: (lower, true), to: upper)
            halves.append(
                Piece(lower: lower, upper: upper, rows: try await estimate(conditions)))
        }
        let most = halves.reduce(0) { $0 + $1.rows } * 9 / 10
        for half in halves.indices where halves[half].rows > most {
            halves[half].setbacks = piece.setbacks + 1
        }
        return halves
    }

    /// The key of a row strictly within a piece; nil where nobody knows how to guess.
    private func middle(of piece: Piece, _ letters: [MySQLLetters]) async throws -> Key? {
        guard let column = columns.indices.first(where: { piece.lower[$0] != piece.upper[$0] }),
            let guess = columns[column].order.middle(
                piece.lower[column], piece.upper[column], letters[column])
        else { return nil }
        let within = MySQLKeyBorders.conditions(
            columns, from: (piece.lower, false), to: piece.upper)
        // Where guesses lead nowhere the next value does, of a few, or leaving out what is far from all others.
        let isLast = column == columns.count - 1
        let name = MySQLText.identifier(columns[column].name)
        let from: String? =
            switch piece.setbacks % 3 {
            case 2: nil
            case 1 where !isLast:
                MySQLKeyBorders.compare(columns[column], ">", piece.lower[column])
            default: "\(name) >= \(guess)"
            }
        do {
            if let from, let key = try await key(within + [from]) { return key }
        } catch is MySQLError {
            // Not every guess is a value: letters may be cut in two.
        }
        return try await key(within, isLast: true)
    }

    /// A piece in steps of so many rows.
    private func walked(_ piece: Piece, by step: Int) async throws -> [Piece] {
        var (pieces, lower): ([Piece], Key) = ([], piece.lower)
        while true {
            var next = try await key(
                MySQLKeyBorders.conditions(columns, from: (lower, true), to: piece.upper),
                offset: step)
            if next == lower {
                // As many rows have the columns of the key that have an order in common.
                next = try await key(
                    MySQLKeyBorders.conditions(columns, from: (lower, false), to: piece.upper))
            }
            if pieces.count == mostPieces { next = nil }
            pieces.append(Piece(lower: lower, upper: next ?? piece.upper, rows: step))
            guard let next else { return pieces }
            lower = next
        }
    }

    /// The beginnings of all ranges but the first, pieces being taken together as long as they are not too many rows.
    private static func merged(_ pieces: [Piece], into count: Int) -> [Key] {
        let most = pieces.reduce(0) { $0 + $1.rows } / max(1, count)
        var (borders, sum): ([Key], Int) = ([], 0)
        for piece in pieces {
            if sum > 0, sum + piece.rows > most {
                borders.append(piece.lower)
                sum = 0
            }
            sum += piece.rows
        }
        return borders
    }

    /// Some of the borders, evenly, where they are long: they are written down with every backup.
    private static func thinned(_ keys: [Key]) -> [Key] {
        let bytes = keys.reduce(0) { $0 + $1.reduce(0) { $0 + $1.utf8.count } }
        let step = bytes / mostBytes + 1
        return keys.indices.filter { $0 % step == step / 2 }.map { keys[$0] }
    }

    private static let mostBytes = 32 << 10

    // MARK: Proof

    /// Whether each border is the key of a row, above the one before, and the next one after the row before it.
    private func areAscending(_ keys: [Key]) async throws -> Bool {
        for (before, key) in zip([nil] + keys.map(Optional.some), keys) {
            let conditions =
                MySQLKeyBorders.equal(columns, key)
                + MySQLKeyBorders.conditions(columns, from: (key, true), to: nil)
                + (before.map {
                    MySQLKeyBorders.conditions(columns, from: ($0, false), to: nil)
                } ?? [])
            guard try await self.key(conditions) != nil,
                let last = try await self.key(
                    MySQLKeyBorders.conditions(columns, from: nil, to: key), isLast: true),
                try await self.key(
                    MySQLKeyBorders.conditions(columns, from: (last, false), to: nil)) == key
            else { return false }
        }
        return true
    }

    private func areRead(_ ranges: [[String]]) async throws -> Bool {
        for range in ranges {
            guard try await explained(range, source("FORCE")).isRange else { return false }
        }
        return true
    }

    // MARK: Questions

    private func source(_ verb: String) -> String {
        "\(MySQLText.qualified(table)) \(verb) INDEX (\(MySQLText.identifier(index.name)))"
    }

    /// The key of the first row, or of the last one, that fulfils all conditions.
    private func key(
        _ conditions: [String] = [], isLast: Bool = false, offset: Int = 0
    ) async throws -> Key? {
        let list = columns.map { $0.order.text(of: MySQLText.identifier($0.name)) }
        let order = columns.map { MySQLText.identifier($0.name) + (isLast ? " DESC" : "") }
        let selection = MySQLText.selection(
            of: list, from: source("FORCE"), where: conditions, order: order)
        let rows = try await connection.rowsInterruptibly(
            "\(selection) LIMIT 1 OFFSET \(offset)")
        guard let row = rows.first else { return nil }
        let key = row.compactMap(\.self)
        guard MySQLKeyBorders.isValid(key, columns) else {
            throw MySQLError(message: "a key of \(table) is not understood")
        }
        return key
    }

    /// About how many rows fulfil all conditions.
    private func estimate(_ conditions: [String]) async throws -> Int {
        // Where it is forced to use an index, MySQL does not look into it.
        try await explained(conditions, source("USE")).rows
    }

    /// What the server makes of a selection of rows in the order of the key.
    private func explained(
        _ conditions: [String], _ source: String
    ) async throws -> (rows: Int, isRange: Bool) {
        let selection = MySQLText.selection(
            of: ["*"], from: source, where: conditions,
            order: index.columns.map(MySQLText.identifier))
        let row =
            try await connection.rows("EXPLAIN FORMAT=TRADITIONAL \(selection)").first ?? []
        // MySQL has two columns more than MariaDB: partitions, and the share of rows that remain.
        guard row.count == 10 || row.count == 12 else {
            throw MySQLError(message: "what the server says of a selection is not understood")
        }
        let (type, rows) = row.count == 12 ? (row[4], row[9]) : (row[3], row[8])
        let isRange = ["range", "ref", "const", "eq_ref"].contains(type)
        let sorts = row.last.flatMap(\.self)?.contains("filesort") == true
        return (rows.flatMap { Int($0) } ?? 0, isRange && !sorts)
    }
}
