public import BackupCore

/// The source that the checks of `EngineContract` know: three tables in the default schema and a
/// sequence.
///
/// Whoever runs the contract creates it: `items(number integer PRIMARY KEY, label text)`,
/// `words(word text)` without a key, `empty(number integer PRIMARY KEY)` and the sequence.
public struct EngineSample: Sendable {
    /// `items(number, label)`: many rows, with every text that breaks careless CSV.
    public let items: TableName
    /// `words(word)`: one column, no key, rows that are equal.
    public let words: TableName
    /// `empty(number)`: no rows.
    public let empty: TableName
    /// `item_numbers`, which has given 41, where nothing else is said.
    public let sequence: SequenceValue
    /// The rows of `items`.
    public let itemRows: [[String?]]
    /// The rows of `words`.
    public let wordRows: [[String?]] = [
        ["plain"], ["plain"], [nil], [""], ["\\."], ["\\N"], [","], ["\"\""], ["two\nlines"], [nil],
    ]
    /// A row of `items` that `EngineSubject.addLateRow` adds.
    public let lateRow: [String?] = ["1000000000", "late"]

    /// A sample; more items make more parts.
    public init(
        itemCount: Int = 100, schema: String = "public", sequence: SequenceValue? = nil
    ) {
        items = TableName(schema: schema, name: "items")
        words = TableName(schema: schema, name: "words")
        empty = TableName(schema: schema, name: "empty")
        self.sequence =
            sequence
            ?? SequenceValue(
                schema: schema, name: "item_numbers", lastValue: 41, isCalled: true)
        let labels: [String?] = [
            "plain", nil, "", "a,b", "say \"hello\"", "two\nlines", "carriage\r\nreturn", "\\.",
            "\\N", "é 日本 😀", " space ", "back\\slash", "'; DROP TABLE items; --", "NULL", "\t",
        ]
        itemRows = (0..<itemCount).map { ["\($0)", labels[$0 % labels.count]] }
    }

    /// The rows of each table.
    public var rows: [TableName: [[String?]]] {
        [items: itemRows, words: wordRows, empty: []]
    }

    /// The sample as a database of `MemoryServer`.
    public var memoryDatabase: MemoryDatabase {
        MemoryDatabase(
            [
                .init(
                    Table(
                        memory: "public", "items", columns: ["number", "label"], key: ["number"]),
                    rows: itemRows),
                .init(Table(memory: "public", "words", columns: ["word"]), rows: wordRows),
                .init(
                    Table(memory: "public", "empty", columns: ["number"], key: ["number"]), rows: []
                ),
            ], sequences: [sequence])
    }
}
