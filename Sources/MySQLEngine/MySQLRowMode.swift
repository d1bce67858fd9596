import BackupCore

extension MySQLSession {
    /// How a session of a target takes days that no calendar has.
    enum RowMode: Sendable {
        /// As they are, as every session of a target begins.
        case exact
        /// Not at all, so that none is computed.
        case computing

        /// Zeros are days in both.
        var words: String {
            switch self {
            case .exact: Side.target.mode
            case .computing: "NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
            }
        }
    }

    /// Which days a session takes, and whether it looks at conditions.
    struct RowSettings: Sendable, Equatable {
        /// The setting that only MariaDB has: whether it looks at conditions.
        static let checks = "check_constraint_checks"

        let mode: String
        /// Nil where there is no such setting.
        let conditions: String?

        /// Whether rows are let past conditions: not past those of tables that were there.
        var passesConditions: Bool { conditions == "OFF" }

        /// The same in another mode.
        ///
        /// `checksConditions`: Whether it looks at conditions in any case.
        func with(_ mode: RowMode, checksConditions: Bool = false) -> RowSettings {
            RowSettings(
                mode: mode.words, conditions: conditions.map { checksConditions ? "ON" : $0 })
        }

        /// The statement that takes them.
        var statement: String {
            let setting = "SET SESSION sql_mode = \(MySQLText.literal(mode))"
            return conditions.map { "\(setting), \(Self.checks) = \($0)" } ?? setting
        }
    }
}
