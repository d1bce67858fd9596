import BackupCore

/// What an interrupted restore has left of a table that it was to make, and what becomes of it.
///
/// Decides; asks nobody.
struct MySQLRemains: Sendable {
    /// What is seen of its rows.
    enum Sight: Sendable {
        /// There is no such table.
        case absent
        case empty, filled
        /// The server finds it damaged: there may be rows.
        case unreadable
    }

    /// What becomes of the table.
    enum Step: Sendable {
        /// What was loaded is there, and stays.
        case keep
        /// Nothing of what may have been written is left: it is loaded as if for the first time.
        case load
        /// A part of its rows may be there, and goes before it is loaded.
        case empty
        /// It is dropped and made again, and then loaded: nothing less takes its rows away.
        case remake
        /// It holds rows that the interrupted restore did not write.
        case refuse
        /// It would have to be made anew, and may hold what the interrupted restore did not write.
        case refuseTable
    }

    let sight: Sight
    /// Whether the mark calls it loaded.
    let isLoaded: Bool
    /// Whether the mark says that a part of its rows may be there.
    let isBegun: Bool
    /// Whether the backup has rows of it.
    let hasRows: Bool
    /// Whether the restore makes the table itself.
    let isMade: Bool
    /// Whether its storage engine takes rows and lets none go.
    let isAppendOnly: Bool

    var step: Step {
        switch sight {
        case .absent: .load
        // A crash may leave rows in the file that a selection does not see, and more would go behind them.
        case .empty where isAppendOnly && (isBegun || isLoaded && hasRows):
            isMade ? .remake : .refuseTable
        case .empty where isLoaded: hasRows ? .load : .keep
        // What is emptied row by row may have rows left that only their history shows.
        case .empty: isBegun ? .empty : .load
        case .filled where isLoaded: .keep
        case .filled where isAppendOnly: isBegun && isMade ? .remake : .refuseTable
        case .filled: isBegun ? .empty : .refuse
        case .unreadable: (isLoaded || isBegun) && isMade ? .remake : .refuseTable
        }
    }
}
