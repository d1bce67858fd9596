import BackupCore

extension MySQLTargetPlanner {
    /// The tables that an interrupted restore has made and filled; others that are there may be made again.
    func madeBefore(_ plan: MySQLPlan) -> [MySQLObject] {
        guard plan.target.continues, plan.renamed == nil else { return [] }
        let filled = plan.target.tables.filter {
            $0.value.isLoaded && $0.value.treatment == .create
        }
        let names = Set(filled.keys.map { ExactText($0.name) })
        return plan.chosen.filter {
            $0.kind == .table && names.contains(ExactText($0.name)) && presence.holds($0)
        }
    }
}
