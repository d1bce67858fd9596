/// InnoDB's own numbers of a database's tables: one that is made anew or emptied has another, and one that is renamed takes
/// its own along.
struct MySQLTableNumbers: Sendable {
    private let database: String
    /// By the names of files, `database/table`: those of all partitions.
    private let numbers: [String: [UInt64]]

    /// `rows`: What `MySQLCatalog.numbers(of:)` tells.
    init(_ rows: [[String?]], of database: String) {
        self.database = database
        numbers = rows.reduce(into: [:]) { numbers, row in
            guard let file = row[0], let number = row[1].flatMap({ UInt64($0) }) else { return }
            // What is behind this sign names a partition; what begins with it is the server's own.
            let table = String(file.prefix { $0 != "#" })
            guard !table.hasSuffix("/") else { return }
            numbers[table, default: []].append(number)
        }
    }

    /// The number of a table of InnoDB, or those of its partitions; empty where the server does not tell.
    func number(of table: String) -> String {
        guard let folder = Self.file(of: database), let file = Self.file(of: table) else {
            return ""
        }
        let name = "\(folder)/\(file)"
        // Where the server takes names that differ in case for one, InnoDB has small letters.
        return Self.words(numbers[name] ?? numbers[name.lowercased()] ?? [])
    }

    /// The name of a file; nil beyond ASCII, where no server tells it.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/identifier-mapping.html>
    private static func file(of name: String) -> String? {
        var file = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                file.unicodeScalars.append(Unicode.Scalar(byte))
            case ..<0x80:
                let digits = String(byte, radix: 16)
                file += "@00" + (digits.count == 1 ? "0" : "") + digits
            default: return nil
            }
        }
        return file
    }

    /// `1065`, or `1065-1068,1071`: partitions are many, and most were made together.
    private static func words(_ numbers: [UInt64]) -> String {
        var ranges: [(first: UInt64, last: UInt64)] = []
        for number in numbers.sorted() {
            if let range = ranges.last, number == range.last &+ 1 {
                ranges[ranges.count - 1].last = number
            } else {
                ranges.append((number, number))
            }
        }
        return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
            .joined(separator: ",")
    }
}
