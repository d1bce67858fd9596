import BackupCore
import Foundation

/// The one document of a line of SQL for programs, written while its rows come.
///
///     {"results": [
///     {"rows": [
///     {"id": 1, "name": "Ann"}
///     ]
///     },
///     {"done": "UPDATE 1"}
///     ]}
///
/// One result for each that the statements give, in their order. Where one fails, `error` stands behind those that came
/// before it: the document is whole whatever happens.
final class SQLDocument: Sendable {
    private struct State {
        var isOpen = false
        var isInRows = false
    }

    private let state = Exclusive(State())
    private let write: @Sendable ([UInt8]) -> Bool

    /// `write`: Says whether anybody still reads.
    init(write: @escaping @Sendable ([UInt8]) -> Bool) { self.write = write }

    /// Writes a piece of the array of a result's rows; false when nobody reads.
    func add(rows bytes: [UInt8]) -> Bool {
        state.withValue { state in
            if !state.isInRows {
                let head = Self.separator(&state) + "{\"rows\": "
                guard write(Array(head.utf8)) else { return false }
                state.isInRows = true
            }
            return write(bytes)
        }
    }

    /// Says that the array of rows is complete.
    func endRows() {
        state.withValue { state in
            guard state.isInRows else { return }
            state.isInRows = false
            _ = write(Array("}".utf8))
        }
    }

    /// Adds what the server says of a statement without rows.
    func add(done tag: String) { add("{\"done\": \(JSONText.string(tag))}") }

    /// Adds a statement that was not run because it may write.
    func add(skipped statement: String) { add("{\"skipped\": \(JSONText.string(statement))}") }

    /// Adds a file that rows were written to.
    func add(file path: String, rows: Int, bytes: Int) {
        add(
            "{\"file\": \(JSONText.string(path)), \"row_count\": \(rows), \"size_bytes\": \(bytes)}"
        )
    }

    /// Ends the document of a line that went well.
    func end() {
        state.withValue { state in
            let head = state.isOpen ? "" : Self.separator(&state)
            _ = write(Array("\(head)\(Self.rest(of: state))\n]}\n".utf8))
            state = State()
        }
    }

    /// Ends a document that has begun with why the rest is missing; false when none has.
    func end(with error: CommandOutput.ErrorContent) -> Bool {
        state.withValue { state in
            guard state.isOpen else { return false }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(error) else {
                preconditionFailure("an error cannot be written as JSON")
            }
            let words = String(decoding: data, as: UTF8.self)
            _ = write(Array("\(Self.rest(of: state))\n],\n\"error\": \(words)}\n".utf8))
            state = State()
            return true
        }
    }

    private func add(_ result: String) {
        state.withValue { state in
            _ = write(Array((Self.separator(&state) + result).utf8))
        }
    }

    /// What stands before a result.
    private static func separator(_ state: inout State) -> String {
        defer { state.isOpen = true }
        return state.isOpen ? ",\n" : "{\"results\": [\n"
    }

    /// What is missing of rows that were cut off.
    private static func rest(of state: State) -> String { state.isInRows ? "\n]\n}" : "" }
}
