import BackupCore

extension MySQLSession {
    /// Which days a session of a target takes that are none to every session.
    struct RowMode: Sendable, Equatable {
        /// Whether it takes days that no calendar has (`2021-02-31`).
        var takesAnyDay = false
        /// Whether it takes zeros for days and months on a server that asks its sessions not to.
        var takesZeros = false

        /// All of them as they are, as every session of a target begins.
        static let exact = RowMode(takesAnyDay: true, takesZeros: true)
        /// None of them, so that none is computed.
        static let computing = RowMode()

        /// All that there are.
        static let all = [
            computing, RowMode(takesZeros: true), RowMode(takesAnyDay: true), exact,
        ]

        /// The days that are computed in it, and in no narrower mode.
        var oddDays: String {
            takesAnyDay
                ? "days that no calendar has (such as 2021-02-31), or have zeros (such as 2021-00-10),"
                : "days with zeros (such as 2021-00-10)"
        }

        /// `usual`: The modes that sessions of the server begin with.
        func words(beside usual: Set<String>) -> String {
            var words = ["NO_AUTO_VALUE_ON_ZERO", "NO_ENGINE_SUBSTITUTION"]
            words += Self.ofExpressions.filter(usual.contains)
            if takesAnyDay { words.append("ALLOW_INVALID_DATES") }
            if !takesZeros { words += Self.againstZeros.filter(usual.contains) }
            return words.joined(separator: ",")
        }

        /// What MySQL has unless it is taken away: under it nothing is computed from texts that are days with zeros.
        ///
        /// Some of a row's own values it changes.
        fileprivate static let againstZeros = ["NO_ZERO_DATE", "NO_ZERO_IN_DATE"]

        /// What else changes values that MySQL computes, and none of a row's own: these have no more digits than their columns.
        private static let ofExpressions = [
            "PAD_CHAR_TO_FULL_LENGTH", "TIME_TRUNCATE_FRACTIONAL",
        ]
    }

    /// Which days a session takes, and whether it looks at conditions.
    struct RowSettings: Sendable, Equatable {
        /// The setting that only MariaDB has: whether it looks at conditions.
        static let checks = "check_constraint_checks"

        let mode: String
        /// The modes that other sessions of the server begin with: what is computed there is mostly computed under them.
        let usual: Set<String>
        /// Nil where there is no such setting.
        let conditions: String?

        /// Whether rows are let past conditions: not past those of tables that were there.
        var passesConditions: Bool { conditions == "OFF" }

        /// Whether zeros are days in some modes, and none in others.
        var mindsZeros: Bool { !usual.isDisjoint(with: RowMode.againstZeros) }

        /// The same in another mode.
        ///
        /// `checksConditions`: Whether it looks at conditions in any case.
        func with(_ mode: RowMode, checksConditions: Bool = false) -> RowSettings {
            RowSettings(
                mode: mode.words(beside: usual), usual: usual,
                conditions: conditions.map { checksConditions ? "ON" : $0 })
        }

        /// The statement that takes them.
        var statement: String {
            let setting = "SET SESSION sql_mode = \(MySQLText.literal(mode))"
            return conditions.map { "\(setting), \(Self.checks) = \($0)" } ?? setting
        }
    }
}
