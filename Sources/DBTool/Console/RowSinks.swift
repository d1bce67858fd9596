import BackupCore
import Terminal

/// Shows rows as a table, as wide as the terminal; what is wider stands one value below the other.
actor TableSink: SQLSink {
    private var table: ResultTable?
    private let width: Int?
    private let write: @Sendable (String) throws -> Void

    /// `width`: Of the terminal; nil where there is none.
    init(width: Int?, write: @escaping @Sendable (String) throws -> Void) {
        self.width = width
        self.write = write
    }

    func begin(_ columns: [SQLColumn]) async throws {
        table = ResultTable(columns.map { ($0.name, $0.isNumeric) }, width: width)
    }

    func take(_ rows: [[String?]]) async throws {
        for row in rows {
            for line in table?.add(row) ?? [] { try write(line) }
        }
    }

    /// The rest.
    func end() throws {
        for line in table?.end() ?? [] { try write(line) }
        table = nil
    }
}

/// Writes rows for programs: CSV in the dialect of the backups, or JSON.
actor RecordSink: SQLSink {
    private let format: RowFormat
    private let write: @Sendable ([UInt8]) async throws -> Void
    private var names: [String] = []
    private var numeric: [Bool] = []
    private(set) var hasBegun = false
    private(set) var rowCount = 0
    private(set) var byteCount = 0

    init(_ format: RowFormat, write: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.format = format
        self.write = write
    }

    func begin(_ columns: [SQLColumn]) async throws {
        hasBegun = true
        names = Self.unique(columns.map(\.name)).map(JSONText.string)
        numeric = columns.map(\.isNumeric)
        switch format {
        case .csv, .table: try await put(CSVDialect.record(columns.map(\.name)))
        case .json: try await put(Array("[".utf8))
        case .jsonl: break
        }
    }

    func take(_ rows: [[String?]]) async throws {
        var bytes: [UInt8] = []
        for row in rows {
            switch format {
            case .csv, .table: bytes += CSVDialect.record(row)
            case .json: bytes += Array("\(rowCount == 0 ? "" : ",")\n\(object(row))".utf8)
            case .jsonl: bytes += Array("\(object(row))\n".utf8)
            }
            rowCount += 1
        }
        try await put(bytes)
    }

    /// Ends the document.
    func end() async throws {
        if format == .json { try await put(Array("\n]\n".utf8)) }
    }

    private func put(_ bytes: [UInt8]) async throws {
        byteCount += bytes.count
        try await write(bytes)
    }

    private func object(_ row: [String?]) -> String {
        let fields = row.indices.map { column in
            "\(names[column]): \(JSONText.value(row[column], isNumeric: numeric[column]))"
        }
        return "{\(fields.joined(separator: ", "))}"
    }

    /// Two columns may have one name, two fields may not.
    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.map { name in
            var (unique, number) = (name, 2)
            while !seen.insert(unique).inserted {
                unique = "\(name)_\(number)"
                number += 1
            }
            return unique
        }
    }
}

/// Values as JSON; numbers keep all their digits.
enum JSONText {
    static func value(_ text: String?, isNumeric: Bool) -> String {
        guard let text else { return "null" }
        let isNumber = text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
        return isNumeric && isNumber ? text : string(text)
    }

    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
