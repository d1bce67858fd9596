/// What becomes of the rows of a batch that go by `INSERT`, in their order.
///
/// Documents keep their numbers in a statement only; a row for which none has room goes by itself, and the rows beside it
/// are none the worse for it.
struct MySQLInsertions {
    enum Step: Equatable {
        /// Inserts some of them.
        case statement([UInt8])
        /// A row that goes by itself, its documents as text: its place in the batch.
        case row(Int)
    }

    private(set) var steps: [Step] = []
    /// How many rows lose digits of numbers in their documents.
    private(set) var roundedCount = 0

    private let limit: MySQLTransfer.Limit
    /// Without its rows.
    private let insertion: [UInt8]
    /// The statement that grows.
    private var text: [UInt8]

    /// `insertion`: What stands before the rows of a statement.
    init(_ insertion: String, _ limit: MySQLTransfer.Limit) {
        self.limit = limit
        self.insertion = Array(insertion.utf8)
        text = self.insertion
    }

    /// Adds a row to the statement that grows, or begins another.
    ///
    /// `write`: Adds its values, and tells whether its documents hold numbers that no text does.
    mutating func add(_ row: Int, _ write: (inout [UInt8]) throws -> Bool) rethrows {
        let before = text.count
        let isFirst = before == insertion.count
        if !isFirst { text.append(UInt8(ascii: ",")) }
        let holdsDecimals = try write(&text)
        if insertion.count + text.count - before > limit.most {
            text.removeSubrange(before...)
            addAlone(row, isRounded: holdsDecimals)
        } else if text.count > limit.usual, !isFirst {
            steps.append(.statement(Array(text[..<before])))
            text.removeSubrange(insertion.count...before)
        }
    }

    /// Adds a row that goes by itself.
    mutating func addAlone(_ row: Int, isRounded: Bool) {
        close()
        steps.append(.row(row))
        if isRounded { roundedCount += 1 }
    }

    /// Ends the statement that has grown so far.
    mutating func close() {
        guard text.count > insertion.count else { return }
        steps.append(.statement(text))
        text = insertion
    }
}
