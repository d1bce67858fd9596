import BackupCore
import Foundation
import Terminal

/// Shows rows as a table, as wide as the terminal; what is wider stands one value below the other.
actor TableSink: SQLSink {
    private var table: ResultTable?
    private let width: Int?
    private let style: TextStyle
    private let write: @Sendable (String) throws -> Void

    /// `width`: Of the terminal; nil where there is none.
    init(width: Int?, style: TextStyle, write: @escaping @Sendable (String) throws -> Void) {
        self.width = width
        self.style = style
        self.write = write
    }

    func begin(_ columns: [SQLColumn]) async throws {
        // A procedure may have several results.
        try end()
        let heads = columns.map { ($0.name, $0.kind == .number) }
        table = ResultTable(heads, width: width, style: style)
    }

    func take(_ rows: SQLRows) async throws {
        for row in 0..<rows.count {
            for line in table?.add(rows.texts(row: row)) ?? [] { try write(line) }
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
    private var kinds: [SQLColumn.Kind] = []
    private(set) var hasBegun = false
    private(set) var rowCount = 0
    private(set) var byteCount = 0

    init(_ format: RowFormat, write: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.format = format
        self.write = write
    }

    func begin(_ columns: [SQLColumn]) async throws {
        guard !hasBegun else {
            throw BackupError(
                .usage, "the statement has several results, and they are written as one",
                hint: "Without -format and -extract each is shown as a table.")
        }
        hasBegun = true
        names = Self.unique(columns.map(\.name)).map(JSONText.string)
        kinds = columns.map(\.kind)
        switch format {
        case .csv, .table: try await put(CSVDialect.record(columns.map(\.name)))
        case .json: try await put(Array("[".utf8))
        case .jsonl: break
        }
    }

    func take(_ rows: SQLRows) async throws {
        switch format {
        case .csv, .table: try await put(CSVDialect.records(rows))
        case .json, .jsonl:
            var text = ""
            for row in 0..<rows.count {
                let isFirst = rowCount == 0 && row == 0
                let object = object(rows.texts(row: row))
                text += format == .jsonl ? "\(object)\n" : "\(isFirst ? "" : ",")\n\(object)"
            }
            try await put(Array(text.utf8))
        }
        rowCount += rows.count
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
            "\(names[column]): \(JSONText.value(row[column], kinds[column]))"
        }
        return "{\(fields.joined(separator: ", "))}"
    }

    /// Two columns may have one name, two fields may not.
    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<ExactText> = []
        return names.map { name in
            var (unique, number) = (name, 2)
            while !seen.insert(ExactText(unique)).inserted {
                unique = "\(name)_\(number)"
                number += 1
            }
            return unique
        }
    }
}

/// Writes the rows of each result of a statement into the document of a line.
actor DocumentSink: SQLSink {
    private let document: SQLDocument
    private let write: @Sendable ([UInt8]) async throws -> Void
    private var rows: RecordSink?
    /// Those of a result that has no row yet: a statement may fail before its first.
    private var columns: [SQLColumn]?

    /// `write`: Adds to the document's rows, and throws where nobody reads them.
    init(_ document: SQLDocument, write: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.document = document
        self.write = write
    }

    func begin(_ columns: [SQLColumn]) async throws {
        // A procedure may have several results.
        try await end()
        self.columns = columns
    }

    func take(_ rows: SQLRows) async throws {
        try await beginRows()
        try await self.rows?.take(rows)
    }

    private func beginRows() async throws {
        guard let columns else { return }
        self.columns = nil
        let sink = RecordSink(.json, write: write)
        rows = sink
        try await sink.begin(columns)
    }

    /// The rest.
    func end() async throws {
        try await beginRows()
        guard let sink = rows else { return }
        rows = nil
        try await sink.end()
        document.endRows()
    }
}

/// Values as JSON; numbers keep all their digits.
enum JSONText {
    static func value(_ text: String?, _ kind: SQLColumn.Kind) -> String {
        switch (kind, text) {
        case (_, nil): "null"
        case (.number, let text?) where isNumber(text): text
        case (.boolean, "t"): "true"
        case (.boolean, "f"): "false"
        case (.document, let text?): onOneLine(text)
        case (_, let text?): string(text)
        }
    }

    /// Within its texts JSON has no line ends; those between its words may as well be spaces.
    private static func onOneLine(_ document: String) -> String {
        let scalars = document.unicodeScalars.map { ["\n", "\r"].contains($0) ? " " : $0 }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Whether JSON writes numbers like that; asked of every value, so that no pattern is compiled for it.
    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func take(_ signs: String) {
            if let sign = rest.first, signs.utf8.contains(sign) { rest.removeFirst() }
        }
        func digits() -> Substring.UTF8View {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return digits
        }
        take("-")
        let whole = digits()
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else {
            return false
        }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard !digits().isEmpty else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            take("+-")
            guard !digits().isEmpty else { return false }
        }
        return rest.isEmpty
    }

    /// A whole document with its line end, indented.
    static func document(of value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("a report cannot be written as JSON")
        }
        return Array(data) + Array("\n".utf8)
    }

    /// An object whose members keep their order, without those that have no value.
    ///
    /// `JSONEncoder` takes names for one that Swift takes for equal, é and e with a combining accent: of two such columns it
    /// would write one.
    static func object(_ members: [(name: String, value: String?)]) -> String {
        let texts = members.compactMap { name, value in value.map { string(name) + ":" + $0 } }
        return "{" + texts.joined(separator: ",") + "}"
    }

    /// A row as an object of texts and nulls.
    static func object(_ columns: [String], _ fields: [String?]) -> String {
        object(zip(columns, fields).map { (name: $0, value: $1.map(string) ?? "null") })
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
