import BackupCore
import CMariaDB

/// How rows of CSV go into a table: into MariaDB by a prepared `INSERT` that takes many rows at once, into MySQL
/// by `LOAD DATA LOCAL` where the server allows it, else by `INSERT` with the rows as text.
///
/// None is strict: what the server makes of a value that does not fit is told by its warnings, and
/// these are looked at.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/load-data.html>
struct MySQLTransfer: Sendable {
    /// A column that takes values.
    struct Column: Sendable {
        let name: String
        let encoding: MySQLEncoding
        /// Whether the server would make another value of NULL without a word.
        let replacesNull: Bool
        /// Whether a value that was never allowed may be in it.
        let mayHoldError: Bool
        /// Whether it counts by itself.
        let counts: Bool
        /// The character set, where UTF-8 does not hold it exactly.
        let characterSet: String?
        /// Whether the bytes of a text are the text: ASCII.
        let takesBytes: Bool
        /// Whether it is MySQL's `JSON`, and the rows have a `JSON` of MySQL for it.
        let holdsDocuments: Bool
        /// Where only places tell labels apart.
        let places: MySQLPlaces?

        /// The number that a value is, where one holds it exactly.
        var number: MySQLNumber?

        /// Whether its values are days, or begin with one.
        var holdsDays = false

        /// What its values are sent as to a prepared statement that takes texts: numbers and times as bytes, which the server
        /// does not look at for a character set.
        var parameterType: enum_field_types {
            takesBytes || [.binary, .bits, .plain, .instant].contains(encoding)
                ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING
        }
    }

    /// How many bytes go to the server at once.
    struct Limit: Sendable, Equatable {
        /// Of a statement with many rows.
        let usual: Int
        /// Of a statement with one row, whose documents need it.
        let most: Int
    }

    /// Which statement takes the rows.
    enum Way: Sendable {
        /// But for rows that it would change: these in statements of so many bytes.
        case loading(Limit)
        /// In executions of so many bytes.
        case executing(Limit)
        /// In statements of so many bytes.
        case inserting(Limit)
    }

    var table: TableName
    let columns: [Column]
    /// Whether the table computes something from values that are sent: columns, keys, conditions.
    var mayComputeValues = false
    /// Whether what is wrong with a row is told by warnings alone: NULL that is computed for a column that is never NULL is an
    /// error in a statement of one row, and none in one of several.
    var ignoresErrors = false

    /// The same into a table of which it is known what it computes.
    func into(_ computation: MySQLComputation?) -> MySQLTransfer {
        var transfer = self
        transfer.mayComputeValues = computation?.computesValues ?? true
        transfer.ignoresErrors = computation?.hasNeverNull ?? false
        return transfer
    }

    /// The statement that takes text as `MySQLRowWriter` writes it.
    var loading: String {
        let computes = columns.contains(where: \.isComputed)
        var places = columns.enumerated().map { index, column in
            column.isComputed || computes && column.counts
                ? "@v\(index)" : MySQLText.identifier(column.name)
        }
        // Where no column takes values, none named would mean all of them.
        if places.isEmpty { places = ["@v0"] }
        let settings = columns.enumerated().compactMap { index, column -> String? in
            let name = MySQLText.identifier(column.name)
            return switch column.encoding {
            // In a text of a set with signs of several bytes the server reads no number.
            case _ where column.places != nil: "\(name) = CAST(@v\(index) AS UNSIGNED)"
            case .binary: "\(name) = UNHEX(@v\(index))"
            case .bits: "\(name) = CAST(@v\(index) AS UNSIGNED)"
            case .coded:
                """
                \(name) = IF(CAST(LEFT(@v\(index), 2) AS BINARY) = '\\\\x', UNHEX(SUBSTR(@v\(index), 3)), \
                CAST(CONVERT(@v\(index) USING \(column.characterSet ?? "utf8mb4")) AS BINARY))
                """
            // Where something is computed MariaDB takes a zero that is not for a wish to count.
            default: computes && column.counts ? "\(name) = @v\(index)" : nil
            }
        }
        return """
            LOAD DATA LOCAL INFILE 'rows' INTO TABLE \(MySQLText.qualified(table)) CHARACTER SET utf8mb4 \
            FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' \
            (\(places.joined(separator: ", ")))\
            \(settings.isEmpty ? "" : " SET " + settings.joined(separator: ", "))
            """
    }

    /// The statement that takes each row as its parameters.
    var execution: String { execution(with: columns.map { _ in "?" }) }

    /// The statement of rows in which such values stand, and parameters for the others.
    func execution(with places: [String]) -> String {
        "\(insertion)(\(places.joined(separator: ", ")))"
    }

    /// What stands before the rows of a statement that inserts them.
    var insertion: String {
        let names = columns.map { MySQLText.identifier($0.name) }.joined(separator: ", ")
        return
            "INSERT \(ignoresErrors ? "IGNORE " : "")INTO \(MySQLText.qualified(table)) (\(names)) VALUES "
    }

    /// Whether the values of many rows can be parameters of a statement: one of these has a character set, and a value of bytes
    /// has none.
    ///
    /// Nor are labels whose places have to be looked up; and rows without values have none.
    var takesParameters: Bool {
        !columns.isEmpty
            && !columns.contains { $0.encoding == .coded && !$0.takesBytes || $0.places != nil }
    }

    /// Whether one row by itself has values that can be parameters: with labels beside them that stand in its statement.
    var hasParameters: Bool { columns.contains { $0.places == nil } }

    /// The way that this table's rows can go.
    func way(_ way: Way) -> Way {
        guard case .executing(let limit) = way, !takesParameters else { return way }
        return .inserting(limit)
    }

    /// Every row must have been taken, and every value as it is.
    ///
    /// `place`: The table to name, where these rows are a proof for another.
    /// - Throws: `MySQLError`.
    func check(
        _ intake: MySQLConnection.Intake, of count: Int, as place: TableName? = nil
    ) throws {
        let table = place ?? table
        // Beside a row that was passed over, what is computed from others matters little.
        let strange =
            (intake.count < count ? intake.warnings.first { $0.number == Self.duplicate } : nil)
            ?? intake.warnings.first { !isExpected($0) }
        guard strange == nil, intake.warnings.count == intake.warningCount, !intake.mayHideWarnings
        else {
            let words = strange?.message ?? "\(intake.warningCount) warnings"
            throw MySQLError(
                number: strange?.number ?? 0,
                message: "\(table) does not take a row as it is: \(words)")
        }
        guard intake.count == count else {
            throw MySQLError(message: "\(table) took \(intake.count) rows of \(count)")
        }
    }
}

extension MySQLTransfer {
    private static let duplicate: UInt32 = 1062

    /// MariaDB tells of every value that was never allowed: it becomes one again.
    ///
    /// No other value does: tables that lack a label are refused before.
    private func isExpected(_ warning: MySQLConnection.Intake.Warning) -> Bool {
        let (dataTruncated, deprecated) = (UInt32(1265), [UInt32(1287), 3719, 3778])
        // Some character sets are going out of fashion.
        guard !deprecated.contains(warning.number) else { return true }
        return warning.number == dataTruncated
            && columns.contains { column in
                column.mayHoldError && warning.message.contains("'\(column.name)'")
            }
    }
}

extension MySQLTransfer.Limit {
    /// `packet`: How many the server takes (`max_allowed_packet`).
    init(packet: Int) {
        self.init(usual: min(RowBatch.targetBytes, packet / 2), most: packet / 2)
    }
}

extension MySQLTransfer.Column {
    /// Whether `LOAD DATA` must compute the value from its text.
    fileprivate var isComputed: Bool {
        places != nil || [.binary, .bits, .coded].contains(encoding)
    }
}
