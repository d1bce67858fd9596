/// How changed rows are found.
public enum Basis: String, Sendable, CaseIterable {
    /// By the server's own version of each row.
    case xmin
    /// By reading every row and comparing it with the row index of the parent.
    case compare
    /// By a column of times.
    case column
}

/// What somebody asks for as the basis.
public enum BasisRequest: Sendable, Hashable {
    /// The best that holds, for each table.
    case auto
    /// Row versions, where they can be had.
    case xmin
    /// Every row is read and compared.
    case compare
    /// A column of times or numbers, where a table has it; else as `auto`.
    case column(ColumnRequest)
}

/// What a differential does with one table, and why.
struct TableTreatment: Sendable {
    enum Way: Sendable {
        /// Every row is written.
        case whole
        /// Every row is read; written when any of them differs.
        case wholeIfDifferent(TableRecord)
        /// Changes are found by this basis.
        case changes(TableRecord, Basis)
    }

    let way: Way
    let reason: String
    /// Whether row versions hold although every row is compared: then they are proven on the way.
    let provesVersions: Bool

    /// Decides for a table that is there now.
    ///
    /// `parent`: What the parent point says of the table of that name; nil when it has none.
    init(_ table: Table, parent: TableRecord?, in layer: LayerPlan) {
        guard let parent, parent.mode != .dropped else {
            self.init(.whole, "the table is new")
            return
        }
        guard
            parent.storedColumns.map(ExactText.init)
                == table.storedColumns.map({ ExactText($0.name) })
        else {
            self.init(.whole, "its columns have changed")
            return
        }
        guard !table.isTakenWhole else {
            self.init(.wholeIfDifferent(parent), "large objects are taken whole")
            return
        }
        guard !table.keyPositions.isEmpty else {
            self.init(
                parent.key.isEmpty ? .wholeIfDifferent(parent) : .whole,
                parent.key.isEmpty ? "it has no key" : "its key is gone")
            return
        }
        guard parent.key.map(ExactText.init) == table.key.map(ExactText.init) else {
            self.init(.whole, "its key has changed")
            return
        }
        switch layer.basis {
        case .compare:
            self.init(.changes(parent, .compare), "asked for")
        case .auto, .xmin:
            self.init(table, parent, versionsIn: layer)
        case .column(let request):
            if let column = layer.columns[table.name] {
                self.init(table, parent, by: column, in: layer)
            } else {
                self.init(
                    table, parent, versionsIn: layer, because: "it has no \(request.words): ")
            }
        }
    }

    /// By the versions of its rows, if these hold.
    private init(
        _ table: Table, _ parent: TableRecord, versionsIn layer: LayerPlan,
        because prefix: String = ""
    ) {
        if let reason = layer.loss ?? Self.otherIdentity(table, parent) {
            self.init(.changes(parent, .compare), prefix + reason)
        } else if layer.isMeasured {
            self.init(.changes(parent, .compare), prefix + Self.measured, provesVersions: true)
        } else {
            self.init(
                .changes(parent, .xmin),
                prefix + (layer.basis == .xmin ? "asked for" : "row versions hold"))
        }
    }

    /// By a column, where the rows that it does not mark are certainly the parent's.
    private init(
        _ table: Table, _ parent: TableRecord, by column: ChangeColumn, in layer: LayerPlan
    ) {
        if let reason = layer.otherSource ?? Self.unknownIdentity(table, parent)
            ?? Self.otherIdentity(table, parent)
        {
            self.init(.changes(parent, .compare), reason)
        } else if layer.isMeasured {
            self.init(
                .changes(parent, .compare), Self.measured, provesVersions: layer.loss == nil)
        } else {
            self.init(.changes(parent, .column), "\(column.column.name), no more exact than that")
        }
    }

    private static let measured = "every so many points of a chain are measured"

    private init(_ way: Way, _ reason: String, provesVersions: Bool = false) {
        self.way = way
        self.reason = reason
        self.provesVersions = provesVersions
    }

    /// Why nothing tells whether a table is the one that it was: the account could not see that, then or now, the server has
    /// no numbers of such tables, or the parent was made before they were kept.
    private static func unknownIdentity(_ table: Table, _ parent: TableRecord) -> String? {
        table.identity.object.isEmpty || parent.identity.object.isEmpty
            ? "nothing tells whether it is still the same table" : nil
    }

    /// Why row versions of this table say nothing about those of the parent.
    private static func otherIdentity(_ table: Table, _ parent: TableRecord) -> String? {
        if table.identity.object != parent.identity.object {
            return "it was made anew, or another table has its name now"
        }
        if table.identity.storage != parent.identity.storage { return "it was rewritten" }
        if table.columns != parent.columns { return "its columns are others" }
        if table.identity.textDigest != parent.identity.textDigest {
            return "what its types mean has changed"
        }
        if (table.filter ?? "") != (parent.filter ?? "") { return "its condition has changed" }
        return nil
    }
}
