import Testing

/// How much of a backup is restored, and into what.
enum RestoreMode: String, CaseIterable, CustomTestStringConvertible {
    /// Everything, into a new database.
    case create
    /// Everything, into a database that holds nothing.
    case empty
    /// Tables that are not there, beside others that are.
    case beside
    /// One table under another name, beside itself.
    case copy
    /// Rows instead of those that tables hold.
    case truncate
    /// Rows besides those that tables hold.
    case append
    /// Rows alone, into tables that hold none.
    case rows
    /// Everything, where something else has its names.
    case clean

    var testDescription: String { rawValue }

    /// Its words, with the tables that are named: none, where everything is meant.
    func words(_ tables: [String]) -> [String] {
        let flags: [String] =
            switch self {
            case .create: ["--create"]
            case .empty, .beside: []
            case .copy: ["--as", "copy"]
            case .truncate: ["--existing", "truncate"]
            case .append: ["--existing", "append"]
            case .rows: ["--data-only"]
            case .clean: ["--clean", "--yes"]
            }
        return flags + tables.flatMap { ["-tablename", $0] }
    }

    /// Whether an error says that what is to be restored is there.
    func isInItsOwnWay(_ errors: String) -> Bool {
        switch self {
        case .create, .empty: errors.contains("is not empty")
        case .beside, .copy: errors.contains(" already\n")
        case .append: errors.contains("which are as they were")
        case .rows: errors.contains("hold rows")
        case .truncate, .clean: false
        }
    }
}
